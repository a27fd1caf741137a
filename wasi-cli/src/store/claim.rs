//! What LOCK says: the writer's epoch, and who holds it. Two lines of text; docs/FORMAT.md states the rules, which every home follows.
//!
//! A claim names what can prove its owner dead: a file lock that the system frees, a process that is gone, a promise to touch LOCK in
//! time. Where none of them does, the owner counts as alive.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use driftdb_core::value::{Object, Value, json};

/// The text of LOCK.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// One more than that of the writer before; 0 if there was none.
    pub epoch: u64,
    /// Who holds the lock; nobody, if its last owner has released it.
    pub owner: Option<Owner>,
}

/// Who holds the lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// What kind of program: `native`, `wasi`, `node`.
    pub home: String,
    /// Random, so that no two claims have the same text.
    pub claim: String,
    /// Whether the owner holds the platform's file lock on this file: it is dead if another can take that.
    pub flock: bool,
    /// The number of its process.
    pub pid: Option<u64>,
    /// Where that number means something: equal texts see the same processes.
    pub place: Option<String>,
    /// LOCK's time of change is never older than this while the owner lives.
    pub lease: Option<Duration>,
}

impl Owner {
    /// This process, as it claims the lock.
    pub fn this(flock: bool) -> Owner {
        // Seeded by the system's randomness on every platform; it has to be new, not secret.
        let random = RandomState::new();
        Owner {
            home: if cfg!(target_os = "wasi") {
                "wasi"
            } else {
                "native"
            }
            .into(),
            claim: format!("{:016x}", random.hash_one("claim")),
            flock,
            pid: own_pid(),
            place: place(),
            lease: None,
        }
    }

    /// Whether its process has ended, as far as can be seen from here.
    pub fn process_is_gone(&self) -> bool {
        match (self.pid, &self.place) {
            (Some(pid), Some(there)) => place().as_ref() == Some(there) && has_ended(pid),
            _ => false,
        }
    }

    /// Who it is, for a message.
    pub fn describe(&self) -> String {
        match (self.home.as_str(), self.pid) {
            ("", _) => "another program".into(),
            (home, Some(pid)) => format!("a {home} program, process {pid}"),
            (home, None) => format!("a {home} program"),
        }
    }

    fn to_json(&self) -> Object {
        let mut object = Object::new();
        object.insert("home", self.home.as_str());
        object.insert("claim", self.claim.as_str());
        if self.flock {
            object.insert("flock", true);
        }
        if let Some(pid) = self.pid {
            object.insert("pid", pid);
        }
        if let Some(place) = &self.place {
            object.insert("place", place.as_str());
        }
        if let Some(lease) = self.lease {
            object.insert("lease", lease.as_secs());
        }
        object
    }

    /// An owner that cannot be read is an owner of whom nothing is known.
    fn from_line(line: &str) -> Owner {
        let Ok(Value::Object(object)) = json::parse(line) else {
            return Owner::default();
        };
        let text = |name| match object.get(name) {
            Some(Value::Str(text)) => Some(text.clone()),
            _ => None,
        };
        let number = |name| u64::try_from(object.get(name)?.as_i64()?).ok();
        Owner {
            home: text("home").unwrap_or_default(),
            claim: text("claim").unwrap_or_default(),
            flock: object.get("flock") == Some(&Value::Bool(true)),
            pid: number("pid"),
            place: text("place"),
            lease: number("lease").map(Duration::from_secs),
        }
    }
}

impl Claim {
    /// The text of the file. The first line stays when the second is cut off.
    pub fn to_text(&self) -> String {
        let mut text = self.free_text();
        if let Some(owner) = &self.owner {
            text.push_str(&Value::Object(owner.to_json()).to_string());
            text.push('\n');
        }
        text
    }

    /// The text of the file once the claim is released.
    pub fn free_text(&self) -> String {
        format!("{}\n", self.epoch)
    }

    /// Reads the file's text. One that nobody here has written, as a power cut may leave it, is that of a free lock.
    pub fn from_text(text: &str) -> Claim {
        let (epoch, owner) = text.split_once('\n').unwrap_or((text, ""));
        let owner = owner.trim();
        match epoch.trim().parse() {
            Ok(epoch) => Claim {
                epoch,
                owner: (!owner.is_empty()).then(|| Owner::from_line(owner)),
            },
            Err(_) => Claim::default(),
        }
    }
}

#[cfg(target_os = "wasi")]
fn own_pid() -> Option<u64> {
    None
}

#[cfg(not(target_os = "wasi"))]
fn own_pid() -> Option<u64> {
    Some(std::process::id().into())
}

/// Which processes this one can see: this start of the system and the namespace of process numbers. Known on Linux only.
fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.to_str()?))
}

/// Asked only where [`place`] is known. A process that has ended stays as a zombie until its parent looks.
fn has_ended(pid: u64) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        Ok(text) => text
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_read_as_it_was_written() {
        for flock in [false, true] {
            let mut owner = Owner::this(flock);
            owner.lease = flock.then(|| Duration::from_secs(60));
            let claim = Claim {
                epoch: 17,
                owner: Some(owner),
            };
            assert_eq!(Claim::from_text(&claim.to_text()), claim);
            assert_eq!(
                Claim::from_text(&claim.free_text()),
                Claim {
                    epoch: 17,
                    owner: None
                }
            );
            assert!(claim.to_text().starts_with(&claim.free_text()));
        }
        assert_ne!(Owner::this(true).claim, Owner::this(true).claim);
    }

    #[test]
    fn what_cannot_be_read_is_free_or_held_by_somebody_unknown() {
        for text in ["", "\n", "x\n{}\n", "-1\n", "\0\0\0"] {
            assert_eq!(Claim::from_text(text), Claim::default(), "{text:?}");
        }
        for text in ["5\nsomebody", "5\n{\"home\":3,\"pid\":-1}\n", "5\n{"] {
            let claim = Claim::from_text(text);
            let unknown = Some(Owner::default());
            assert_eq!((claim.epoch, claim.owner), (5, unknown), "{text:?}");
        }
        assert!(!Owner::default().process_is_gone());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_has_ended_is_seen_to_be_gone() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let mut owner = Owner::this(false);
        assert!(!owner.process_is_gone());
        owner.pid = Some(child.id().into());
        let started = std::time::Instant::now();
        while !owner.process_is_gone() {
            // It ends, and is a zombie until it is waited for.
            assert!(started.elapsed() < Duration::from_secs(120));
        }
        child.wait().unwrap();
        assert!(owner.process_is_gone());
        owner.place = Some("another machine".into());
        assert!(!owner.process_is_gone());
    }
}
