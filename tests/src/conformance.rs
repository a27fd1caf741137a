//! The contracts of the storage traits, one body each, run on every store.

use std::rc::Rc;

use driftdb_core::Code;
use driftdb_core::storage::{Access, Blob, Store, Synced};

/// A contract: its name and the body that checks it on an empty store.
pub type Contract = (&'static str, fn(Rc<dyn Store>));

/// All contracts.
pub const CONTRACTS: &[Contract] = &[
    ("a new file is empty and can be read back", new_file),
    ("create refuses what exists", create_exists),
    ("open says when there is nothing", open_missing),
    ("append goes to the end and grows", append_grows),
    ("append refuses a place beyond the end", append_beyond),
    ("append refuses to write over data", append_over_data),
    ("append fills reserved zeros", append_into_reserved),
    (
        "append across the end of reserved zeros",
        append_across_reserved,
    ),
    (
        "reserve never shortens and never changes data",
        reserve_keeps,
    ),
    ("reads are short only at the end", short_reads),
    ("truncate cuts", truncate_cuts),
    ("two blobs on one file see one another", two_blobs),
    ("a blob for reading cannot write", read_only),
    ("a removed file stays readable while open", removed_stays),
    ("remove of nothing is no error", remove_missing),
    ("list gives the names of one directory, sorted", list_names),
    (
        "rename replaces, and open blobs stay what they were",
        rename_replaces,
    ),
    ("rename of nothing is an error", rename_missing),
    ("replace writes the whole file", replace_whole),
    (
        "a blob on a replaced file keeps the old content",
        replaced_stays,
    ),
    ("read gives a whole file or nothing", read_whole),
    ("the lock is exclusive and its epoch rises", lock_exclusive),
    ("the lock notices another epoch", lock_conflict),
    ("many files at once", many_files),
    ("a path cannot leave the directory", paths_inside),
];

fn all(blob: &dyn Blob) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(blob.len().unwrap()).unwrap() + 10];
    let count = blob.read_at(0, &mut bytes).unwrap();
    bytes.truncate(count);
    bytes
}

fn open(store: &dyn Store, path: &str) -> Box<dyn Blob> {
    store.open(path, Access::Write).unwrap().unwrap()
}

fn file(store: &dyn Store, path: &str, bytes: &[u8]) -> Box<dyn Blob> {
    let mut blob = store.create(path).unwrap();
    blob.append(0, bytes).unwrap();
    assert!(is_known(blob.sync().unwrap()));
    blob
}

/// Durable, or durable at a position that there is.
fn is_known(synced: Synced) -> bool {
    !matches!(synced, Synced::Pending(0))
}

fn new_file(store: Rc<dyn Store>) {
    let mut blob = store.create("tables/a/segments/00000001.seg").unwrap();
    assert!(blob.is_empty().unwrap());
    blob.append(0, b"one").unwrap();
    blob.sync().unwrap();
    assert_eq!(
        all(&*open(&*store, "tables/a/segments/00000001.seg")),
        b"one"
    );
}

fn create_exists(store: Rc<dyn Store>) {
    file(&*store, "a", b"kept");
    assert!(store.create("a").is_err());
    assert_eq!(store.read("a").unwrap().unwrap(), b"kept");
}

fn open_missing(store: Rc<dyn Store>) {
    assert!(store.open("nothing", Access::Read).unwrap().is_none());
    assert!(store.open("no/such/dir", Access::Write).unwrap().is_none());
    assert!(store.open("nothing", Access::Write).unwrap().is_none());
    assert!(store.list("").unwrap().is_empty());
}

fn append_grows(store: Rc<dyn Store>) {
    let mut blob = file(&*store, "a", b"one");
    blob.append(3, b"two").unwrap();
    blob.append(6, b"").unwrap();
    assert_eq!(
        (all(&*blob).as_slice(), blob.len().unwrap()),
        (b"onetwo".as_slice(), 6)
    );
}

fn append_beyond(store: Rc<dyn Store>) {
    let mut blob = file(&*store, "a", b"one");
    for end in [4, 5, 1000, 1 << 40] {
        assert_eq!(
            blob.append(end, b"x").unwrap_err().code(),
            Code::Conflict,
            "{end}"
        );
    }
    assert_eq!(all(&*blob), b"one");
}

fn append_over_data(store: Rc<dyn Store>) {
    let mut blob = file(&*store, "a", b"abc");
    for end in 0..3 {
        assert_eq!(
            blob.append(end, b"xyz").unwrap_err().code(),
            Code::Conflict,
            "{end}"
        );
    }
    blob.append(3, &[0, 0, 0, 9]).unwrap();
    assert_eq!(blob.append(3, b"x").unwrap_err().code(), Code::Conflict);
    assert_eq!(all(&*blob), [b'a', b'b', b'c', 0, 0, 0, 9]);
}

fn append_into_reserved(store: Rc<dyn Store>) {
    let mut blob = file(&*store, "a", b"abc");
    blob.reserve(100_000).unwrap();
    blob.append(3, b"def").unwrap();
    blob.append(6, b"g").unwrap();
    assert_eq!(blob.append(5, b"x").unwrap_err().code(), Code::Conflict);
    blob.sync().unwrap();
    let bytes = all(&*open(&*store, "a"));
    assert_eq!(bytes.get(..7).unwrap(), b"abcdefg");
    assert!(bytes.iter().skip(7).all(|byte| *byte == 0));
}

fn append_across_reserved(store: Rc<dyn Store>) {
    let mut blob = file(&*store, "a", b"abc");
    blob.reserve(10).unwrap();
    blob.append(3, &[7; 50]).unwrap();
    assert_eq!(all(&*blob), [b"abc".as_slice(), &[7; 50]].concat());
}

fn reserve_keeps(store: Rc<dyn Store>) {
    let mut blob = file(&*store, "a", b"abc");
    blob.reserve(2).unwrap();
    blob.reserve(0).unwrap();
    assert_eq!(all(&*blob), b"abc");
    blob.reserve(70_000).unwrap();
    let len = blob.len().unwrap();
    assert!(len == 3 || len == 70_000, "{len}");
    blob.truncate(3).unwrap();
    assert_eq!(all(&*blob), b"abc");
}

fn short_reads(store: Rc<dyn Store>) {
    let blob = file(&*store, "a", b"abcdef");
    let mut four = [0; 4];
    assert_eq!((blob.read_at(1, &mut four).unwrap(), &four), (4, b"bcde"));
    assert_eq!(
        (blob.read_at(4, &mut four).unwrap(), four.get(..2).unwrap()),
        (2, b"ef".as_slice())
    );
    assert_eq!(blob.read_at(6, &mut four).unwrap(), 0);
    assert_eq!(blob.read_at(600, &mut four).unwrap(), 0);
    assert_eq!(blob.read_at(0, &mut []).unwrap(), 0);
}

fn truncate_cuts(store: Rc<dyn Store>) {
    let mut blob = file(&*store, "a", b"abcdef");
    blob.truncate(6).unwrap();
    assert_eq!(all(&*blob), b"abcdef");
    blob.truncate(2).unwrap();
    blob.append(2, b"z").unwrap();
    blob.sync().unwrap();
    assert_eq!(all(&*blob), b"abz");
    blob.truncate(0).unwrap();
    assert!(blob.is_empty().unwrap());
}

fn two_blobs(store: Rc<dyn Store>) {
    let mut writer = file(&*store, "a", b"abc");
    let reader = store.open("a", Access::Read).unwrap().unwrap();
    writer.append(3, b"def").unwrap();
    assert_eq!(all(&*reader), b"abcdef");
    let mut other = open(&*store, "a");
    assert_eq!(other.append(3, b"x").unwrap_err().code(), Code::Conflict);
    other.append(6, b"ghi").unwrap();
    writer.sync().unwrap();
    assert_eq!(writer.append(6, b"x").unwrap_err().code(), Code::Conflict);
    assert_eq!(all(&*reader), b"abcdefghi");
}

fn read_only(store: Rc<dyn Store>) {
    file(&*store, "a", b"abc");
    let mut reader = store.open("a", Access::Read).unwrap().unwrap();
    assert!(reader.append(3, b"x").is_err());
    assert!(reader.truncate(0).is_err());
    assert_eq!(all(&*reader), b"abc");
}

fn removed_stays(store: Rc<dyn Store>) {
    let blob = file(&*store, "d/a", b"abc");
    store.remove("d/a").unwrap();
    assert!(store.open("d/a", Access::Read).unwrap().is_none());
    assert_eq!(all(&*blob), b"abc");
    let again = file(&*store, "d/a", b"new");
    assert_eq!(
        (all(&*blob).as_slice(), all(&*again).as_slice()),
        (b"abc".as_slice(), b"new".as_slice())
    );
}

fn remove_missing(store: Rc<dyn Store>) {
    store.remove("nothing").unwrap();
    store.remove("no/such/dir").unwrap();
}

fn list_names(store: Rc<dyn Store>) {
    for path in ["t/b/2.seg", "t/b/10.seg", "t/a/1.seg", "t.x", "t/c"] {
        file(&*store, path, b"x");
    }
    assert_eq!(store.list("t").unwrap(), ["a", "b", "c"]);
    assert_eq!(store.list("t/b").unwrap(), ["10.seg", "2.seg"]);
    assert_eq!(store.list("").unwrap(), ["t", "t.x"]);
    assert!(store.list("nothing").unwrap().is_empty());
    assert!(store.list("t/c").unwrap().is_empty());
    store.remove("t/b/2.seg").unwrap();
    assert_eq!(store.list("t/b").unwrap(), ["10.seg"]);
}

fn rename_replaces(store: Rc<dyn Store>) {
    let mut new = file(&*store, "d/new", b"new");
    let old = file(&*store, "d/old", b"old");
    store.rename("d/new", "d/old").unwrap();
    assert_eq!(store.list("d").unwrap(), ["old"]);
    assert_eq!(store.read("d/old").unwrap().unwrap(), b"new");
    assert_eq!(all(&*old), b"old");
    new.append(3, b"er").unwrap();
    assert_eq!(store.read("d/old").unwrap().unwrap(), b"newer");
}

fn rename_missing(store: Rc<dyn Store>) {
    file(&*store, "d/a", b"a");
    assert!(store.rename("d/nothing", "d/a").is_err());
    assert_eq!(store.read("d/a").unwrap().unwrap(), b"a");
}

fn replace_whole(store: Rc<dyn Store>) {
    assert!(is_known(
        store.replace("t/x/meta.json", b"a longer one").unwrap()
    ));
    store.replace("t/x/meta.json", b"short").unwrap();
    assert_eq!(store.read("t/x/meta.json").unwrap().unwrap(), b"short");
    store.replace("t/x/meta.json", b"").unwrap();
    assert_eq!(store.read("t/x/meta.json").unwrap().unwrap(), b"");
    assert_eq!(store.list("t/x").unwrap(), ["meta.json"]);
}

fn replaced_stays(store: Rc<dyn Store>) {
    store.replace("a", b"old").unwrap();
    let blob = store.open("a", Access::Read).unwrap().unwrap();
    store.replace("a", b"newer").unwrap();
    assert_eq!(all(&*blob), b"old");
}

fn read_whole(store: Rc<dyn Store>) {
    assert_eq!(store.read("nothing").unwrap(), None);
    assert_eq!(store.read("no/such/dir").unwrap(), None);
    file(&*store, "a", &[5; 200_000]);
    assert_eq!(store.read("a").unwrap().unwrap(), [5; 200_000]);
}

fn lock_exclusive(store: Rc<dyn Store>) {
    assert!(!store.lock_state().unwrap().is_held());
    let lock = store.lock().unwrap();
    let epoch = lock.epoch();
    assert!(store.lock_state().unwrap().is_held());
    assert_eq!(store.lock().err().unwrap().code(), Code::Busy);
    lock.check().unwrap();
    drop(lock);
    assert!(!store.lock_state().unwrap().is_held());
    let again = store.lock().unwrap();
    assert_eq!(again.epoch(), epoch + 1);
    again.check().unwrap();
}

fn lock_conflict(store: Rc<dyn Store>) {
    let lock = store.lock().unwrap();
    let other = lock.epoch() + 1;
    let mut blob = open(&*store, "LOCK");
    blob.truncate(0).unwrap();
    blob.append(0, format!("{other}\n").as_bytes()).unwrap();
    assert_eq!(lock.check().unwrap_err().code(), Code::Conflict);
}

/// More files than a store keeps open, written, synced, removed and read in any order.
fn many_files(store: Rc<dyn Store>) {
    let name = |index: usize| format!("t/{}/{index}", index % 7);
    let mut blobs: Vec<_> = (0..260)
        .map(|index| file(&*store, &name(index), name(index).as_bytes()))
        .collect();
    for index in (0..260).step_by(3) {
        store.remove(&name(index)).unwrap();
        if index % 9 == 0 {
            file(&*store, &name(index), b"another file of the same name");
        }
    }
    for (index, blob) in blobs.iter_mut().enumerate() {
        let text = name(index);
        blob.append(text.len() as u64, b"!").unwrap();
        assert_eq!(all(&**blob), format!("{text}!").as_bytes());
    }
}

fn paths_inside(store: Rc<dyn Store>) {
    if store.open("LOCK", Access::Read).unwrap().is_some() {
        return;
    }
    // A store without directories may take any name; one with directories must not leave its own.
    for path in ["../outside", "/outside", "a/../../outside"] {
        let _ = store.replace(path, b"x");
    }
    assert!(store.list("").unwrap().iter().all(|name| name != "outside"));
}
