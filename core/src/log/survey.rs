//! Which of the files in a log's directory are the log: the newest generation that is whole. The rest was replaced by a compaction,
//! or is what a compaction or a rotation left when it was stopped.

use crate::flat::FlatMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::position::{Checkpoint, LogHints};
use super::scan::SharedBlob;
use super::segment::{HEADER_BYTES, HEADER_LEN, Header, segment_dir, segment_number, segment_path};
use super::segments::{missing, share};
use crate::error::{Error, Result};
use crate::storage::{Access, Store};

/// A segment of the log.
pub(super) struct Link {
    pub number: u64,
    /// What its header says and its file; `None` if it lies before the checkpoint and was not looked at.
    pub opened: Option<(Header, SharedBlob)>,
}

/// What a directory holds.
pub(super) struct Survey {
    /// The log's segments, ascending, without gaps.
    pub chain: Vec<Link>,
    /// Segments that a compaction has replaced.
    pub replaced: Vec<u64>,
    /// Segments that never became part of the log.
    pub unborn: Vec<u64>,
    /// The checkpoint, if the hints speak of this log.
    pub checkpoint: Option<Checkpoint>,
    /// Whether the hints speak of this generation of the log.
    pub hinted: bool,
}

/// What stands where a header should be.
enum Head {
    Valid(Header, SharedBlob),
    /// Too short to have frames: its writing was stopped.
    Partial,
    /// No header, and bytes behind it.
    Damaged,
}

pub(super) fn survey(
    store: &dyn Store,
    dir: &str,
    access: Access,
    hints: &LogHints,
) -> Result<Survey> {
    let names = store.list(&segment_dir(dir))?;
    let mut numbers: Vec<u64> = names
        .iter()
        .filter_map(|name| segment_number(name))
        .collect();
    numbers.sort_unstable();
    let place = Place { store, dir, access };
    let survey = match place.tail(&numbers, hints)? {
        Some(survey) => survey,
        None => place.whole(&numbers, hints)?,
    };
    place.check_hinted(&survey, &numbers, hints)?;
    Ok(survey)
}

struct Place<'a> {
    store: &'a dyn Store,
    dir: &'a str,
    access: Access,
}

impl Place<'_> {
    fn path(&self, number: u64) -> String {
        segment_path(self.dir, number)
    }

    fn head(&self, number: u64) -> Result<Head> {
        let path = self.path(number);
        let blob = self
            .store
            .open(&path, self.access)?
            .ok_or_else(|| missing(path.clone()))?;
        let mut bytes = [0; HEADER_BYTES];
        let count = blob.read_at(0, &mut bytes)?;
        let header = Header::decode(bytes.get(..count).unwrap_or_default())
            .map_err(|error| error.in_file(path.clone(), Some(0)))?;
        match header {
            Some(header) if header.number != number => {
                Err(Error::corrupt(path, 16, "the header is of another segment"))
            }
            Some(header) => Ok(Head::Valid(header, share(blob))),
            None if blob.len()? <= HEADER_LEN => Ok(Head::Partial),
            None => Ok(Head::Damaged),
        }
    }

    fn heads(&self, numbers: &[u64]) -> Result<FlatMap<u64, Head>> {
        numbers
            .iter()
            .map(|number| Ok((*number, self.head(*number)?)))
            .collect()
    }

    /// The survey that looks only at the segments from the checkpoint on; `None` if the hints do not speak of this log.
    fn tail(&self, numbers: &[u64], hints: &LogHints) -> Result<Option<Survey>> {
        let (Some(checkpoint), Some(root)) = (hints.checkpoint, hints.segments.first()) else {
            return Ok(None);
        };
        let at = checkpoint.position.segment;
        let below: Vec<u64> = hints
            .segments
            .iter()
            .map(|info| info.number)
            .take_while(|number| *number < at)
            .collect();
        let gapless = below
            .iter()
            .zip(root.number..)
            .all(|(number, expected)| *number == expected);
        if !gapless || root.number + below.len() as u64 != at {
            return Ok(None);
        }
        let heads = self.heads(
            numbers
                .get(numbers.partition_point(|number| *number < at)..)
                .unwrap_or_default(),
        )?;
        let same = matches!(heads.get(&at), Some(Head::Valid(header, _)) if header.generation == hints.generation);
        let newer = heads.values().any(
            |head| matches!(head, Head::Valid(header, _) if header.is_root() && header.number > at),
        );
        if !same || newer {
            return Ok(None);
        }
        if let Some(lost) = below
            .iter()
            .find(|number| numbers.binary_search(number).is_err())
        {
            return Err(missing(self.path(*lost)));
        }
        let chain = below
            .iter()
            .map(|number| Link {
                number: *number,
                opened: None,
            })
            .collect();
        let replaced = numbers
            .iter()
            .copied()
            .take_while(|number| *number < root.number)
            .collect();
        let survey = Survey {
            chain,
            replaced,
            unborn: Vec::new(),
            checkpoint: Some(checkpoint),
            hinted: true,
        };
        self.follow(survey, at, hints.generation, heads).map(Some)
    }

    /// The survey that looks at all headers.
    fn whole(&self, numbers: &[u64], hints: &LogHints) -> Result<Survey> {
        let heads = self.heads(numbers)?;
        let roots = heads.values().filter_map(|head| match head {
            Head::Valid(header, _) if header.is_root() => Some((header.generation, header.number)),
            _ => None,
        });
        let Some((generation, root)) = roots.max() else {
            return Err(self.rootless(&heads));
        };
        let (below, above): (FlatMap<_, _>, FlatMap<_, _>) =
            heads.into_iter().partition(|(number, _)| *number < root);
        let hinted = hints.generation == generation
            && hints
                .segments
                .first()
                .is_some_and(|info| info.number == root);
        let survey = Survey {
            chain: Vec::new(),
            replaced: below.into_iter().map(|(number, _)| number).collect(),
            unborn: Vec::new(),
            checkpoint: None,
            hinted,
        };
        self.follow(survey, root, generation, above)
    }

    fn rootless(&self, heads: &FlatMap<u64, Head>) -> Error {
        match heads
            .iter()
            .find(|(_, head)| !matches!(head, Head::Valid(..)))
        {
            Some((number, _)) => self.damaged(*number),
            None => missing(self.path(1)),
        }
    }

    /// A segment that was recorded was durable: it cannot be taken for one whose creation was stopped.
    fn check_hinted(&self, survey: &Survey, numbers: &[u64], hints: &LogHints) -> Result<()> {
        let last = survey.chain.last().map_or(0, |link| link.number);
        match hints
            .segments
            .iter()
            .find(|info| survey.hinted && info.number > last)
        {
            Some(lost) if numbers.contains(&lost.number) => Err(self.damaged(lost.number)),
            Some(lost) => Err(missing(self.path(lost.number))),
            None => Ok(()),
        }
    }

    fn damaged(&self, number: u64) -> Error {
        Error::corrupt(self.path(number), 0, "the segment's header is damaged")
    }

    /// Adds the segments from `first` on that follow one another to the chain; judges those beyond.
    fn follow(
        &self,
        mut survey: Survey,
        first: u64,
        generation: u64,
        heads: FlatMap<u64, Head>,
    ) -> Result<Survey> {
        let mut next = first;
        let mut beyond = FlatMap::new();
        for (number, head) in heads {
            match head {
                Head::Valid(header, blob) if number == next && header.generation == generation => {
                    survey.chain.push(Link {
                        number,
                        opened: Some((header, blob)),
                    });
                    next += 1;
                }
                head => {
                    beyond.insert(number, head);
                }
            }
        }
        self.judge(next, generation, &beyond)?;
        survey.unborn = beyond.into_iter().map(|(number, _)| number).collect();
        Ok(survey)
    }

    /// Segments beyond the chain may be what a stopped compaction or rotation left, and nothing else. A compaction leaves the first
    /// number free until all others are there, and nothing rotates meanwhile, so its segments start at the second.
    fn judge(&self, next: u64, generation: u64, beyond: &FlatMap<u64, Head>) -> Result<()> {
        let mut expected = next + 1;
        for (number, head) in beyond.iter() {
            match head {
                Head::Partial => {}
                Head::Damaged if *number == next => {
                    return Err(self.damaged(next));
                }
                Head::Valid(header, _) if header.generation <= generation => {
                    return Err(self.gap(next, beyond));
                }
                Head::Valid(..) | Head::Damaged if *number != expected => {
                    return Err(self.gap(next, beyond));
                }
                Head::Valid(..) | Head::Damaged => {}
            }
            if *number >= expected {
                expected = number + 1;
            }
        }
        Ok(())
    }

    fn gap(&self, next: u64, beyond: &FlatMap<u64, Head>) -> Error {
        match beyond.contains_key(&next) {
            true => self.damaged(next),
            false => missing(self.path(next)),
        }
    }
}
