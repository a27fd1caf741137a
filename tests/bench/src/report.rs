//! Figures by measure and engine, and the table they make: ratios, and the verdict against what is to be reached.

use crate::clock::{median, percentile};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The engine that is to reach the figures.
pub const OURS: &str = "driftdb";
/// What the machine allows.
pub const LIMIT: &str = "limit";

/// Which way is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A rate.
    More,
    /// A time or a size.
    Less,
}

/// Whom a measure is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// The best of SQLite's schemas.
    Sqlite,
    /// redb.
    Redb,
    /// The limit of the machine.
    Limit,
    /// No engine: the figure itself.
    Figure,
}

/// What is to be reached: a ratio in our favour of at least so much; or a figure at most so high.
#[derive(Clone, Copy)]
pub struct Goal(pub Against, pub f64);

/// One line of the table.
pub struct Measure {
    title: String,
    unit: &'static str,
    better: Better,
    goals: Vec<Goal>,
    figures: BTreeMap<String, Vec<f64>>,
}

/// All lines of a run.
#[derive(Default)]
pub struct Report {
    measures: Vec<Measure>,
    notes: Vec<String>,
}

impl Report {
    /// Begins a line, or finds it. Figures of more rounds add to it.
    pub fn measure(
        &mut self,
        title: &str,
        unit: &'static str,
        better: Better,
        goals: &[Goal],
    ) -> &mut Measure {
        let found = self.measures.iter().position(|line| line.title == title);
        let place = found.unwrap_or_else(|| {
            self.measures.push(Measure {
                title: title.to_owned(),
                unit,
                better,
                goals: goals.to_vec(),
                figures: BTreeMap::new(),
            });
            self.measures.len() - 1
        });
        &mut self.measures[place]
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.measures.is_empty()
    }

    /// A paragraph or a table of its own below the table.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// The whole report as markdown.
    pub fn markdown(&self) -> String {
        let mut out = String::from(
            "| measure | DriftDB | SQLite, best schema | redb | limit | ours : SQLite | ours : redb | ours : limit | to reach | |\n\
             |---|---|---|---|---|---|---|---|---|---|\n",
        );
        for measure in &self.measures {
            measure.row(&mut out);
        }
        for note in &self.notes {
            let _ = write!(out, "\n{note}\n");
        }
        out
    }
}

impl Measure {
    /// Adds the figure of one round.
    pub fn add(&mut self, engine: &str, figure: f64) {
        self.figures
            .entry(engine.to_owned())
            .or_default()
            .push(figure);
    }

    fn median(&self, engine: &str) -> Option<f64> {
        self.figures.get(engine).map(|all| median(all.clone()))
    }

    /// The best schema for this measure, and its figure.
    fn sqlite(&self) -> Option<(&str, f64)> {
        let all = self
            .figures
            .keys()
            .filter(|name| name.starts_with("sqlite"));
        let figures = all.filter_map(|name| Some((name.as_str(), self.median(name)?)));
        match self.better {
            Better::More => figures.max_by(|a, b| a.1.total_cmp(&b.1)),
            Better::Less => figures.min_by(|a, b| a.1.total_cmp(&b.1)),
        }
    }

    /// How many times better ours is.
    fn ratio(&self, theirs: Option<f64>) -> Option<f64> {
        let (ours, theirs) = (self.median(OURS)?, theirs?);
        Some(match self.better {
            Better::More => ours / theirs,
            Better::Less => theirs / ours,
        })
    }

    fn against(&self, against: Against) -> Option<f64> {
        match against {
            Against::Sqlite => self.ratio(self.sqlite().map(|best| best.1)),
            Against::Redb => self.ratio(self.median("redb")),
            Against::Limit => self.ratio(self.median(LIMIT)),
            Against::Figure => self.median(OURS),
        }
    }

    fn reached(&self, goal: Goal) -> Option<bool> {
        let reached = self.against(goal.0)?;
        Some(match goal.0 {
            Against::Figure => reached <= goal.1,
            _ => reached >= goal.1,
        })
    }

    fn row(&self, out: &mut String) {
        let figure =
            |value: Option<f64>| value.map_or(String::new(), |value| amount(value, self.unit));
        let ratio = |against| {
            self.against(against)
                .map_or(String::new(), |ratio| format!("{ratio:.2}"))
        };
        let sqlite = self.sqlite().map_or(String::new(), |(name, value)| {
            let schema = name.trim_start_matches("sqlite").trim();
            let schema = if schema.is_empty() {
                String::new()
            } else {
                format!(" ({schema})")
            };
            format!("{}{schema}", amount(value, self.unit))
        });
        let goals: Vec<String> = self.goals.iter().map(|goal| goal.text(self.unit)).collect();
        let verdicts: Vec<bool> = self
            .goals
            .iter()
            .filter_map(|goal| self.reached(*goal))
            .collect();
        let verdict = match verdicts.as_slice() {
            [] => "",
            all if all.iter().all(|reached| *reached) => "yes",
            _ => "**no**",
        };
        let _ = writeln!(
            out,
            "| {} | {} | {sqlite} | {} | {} | {} | {} | {} | {} | {verdict} |",
            self.title,
            figure(self.median(OURS)),
            figure(self.median("redb")),
            figure(self.median(LIMIT)),
            ratio(Against::Sqlite),
            ratio(Against::Redb),
            ratio(Against::Limit),
            goals.join(", "),
        );
    }
}

impl Goal {
    fn text(self, unit: &str) -> String {
        match self.0 {
            Against::Sqlite => format!("SQLite x {}", self.1),
            Against::Redb => format!("redb x {}", self.1),
            Against::Limit => format!("limit x {}", self.1),
            Against::Figure => format!("at most {}", amount(self.1, unit)),
        }
    }
}

/// A figure with its unit, in as many digits as mean something.
fn amount(value: f64, unit: &str) -> String {
    let digits = match value {
        v if v >= 1e6 => return format!("{:.2} M{unit}", v / 1e6),
        v if v >= 10_000.0 => return format!("{:.0} k{unit}", v / 1e3),
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    let space = if unit.is_empty() || unit.starts_with('/') {
        ""
    } else {
        " "
    };
    format!("{value:.digits$}{space}{unit}")
}

/// A table of latencies in microseconds: engine by engine, as percentiles.
pub fn latencies(title: &str, all: &[(String, Vec<f64>)]) -> String {
    let mut out =
        format!("{title}, microseconds:\n\n| | p50 | p99 | p99.9 | max |\n|---|---|---|---|---|\n");
    for (name, figures) in all {
        let mut sorted = figures.clone();
        sorted.sort_by(f64::total_cmp);
        let _ = writeln!(
            out,
            "| {name} | {:.0} | {:.0} | {:.0} | {:.0} |",
            percentile(&sorted, 0.5),
            percentile(&sorted, 0.99),
            percentile(&sorted, 0.999),
            sorted.last().copied().unwrap_or(0.0)
        );
    }
    out
}
