//! A progress bar on standard error, for people only: nothing is shown where standard error is no terminal, or if the work is short.

#[cfg(not(target_family = "wasm"))]
mod bar {
    use std::io::IsTerminal;
    use std::time::{Duration, Instant};

    use indicatif::{ProgressBar, ProgressStyle};

    /// Work shorter than this shows nothing.
    const PATIENCE: Duration = Duration::from_millis(700);

    /// The progress of one piece of work.
    pub struct Progress {
        started: Instant,
        verb: &'static str,
        total: Option<u64>,
        bar: Option<ProgressBar>,
        terminal: bool,
    }

    impl Progress {
        /// Work of `total` bytes, or of an unknown size; `verb` says what happens to the things counted.
        pub fn new(verb: &'static str, total: Option<u64>) -> Self {
            let terminal = std::io::stderr().is_terminal();
            Progress {
                started: Instant::now(),
                verb,
                total,
                bar: None,
                terminal,
            }
        }

        /// So many bytes are done, and so many rows, events or the like.
        pub fn update(&mut self, bytes: u64, count: u64) {
            if !self.terminal || (self.bar.is_none() && self.started.elapsed() < PATIENCE) {
                return;
            }
            let bar = self.bar.get_or_insert_with(|| new_bar(self.total));
            bar.set_position(bytes);
            bar.set_message(format!("{count} {}", self.verb));
        }

        /// Takes the bar away.
        pub fn finish(&mut self) {
            if let Some(bar) = self.bar.take() {
                bar.finish_and_clear();
            }
        }
    }

    impl Drop for Progress {
        fn drop(&mut self) {
            self.finish();
        }
    }

    fn new_bar(total: Option<u64>) -> ProgressBar {
        let (bar, template) = match total {
            Some(total) => (
                ProgressBar::new(total),
                "{bar:30} {percent:>3}%  {msg}  {binary_bytes_per_sec}  {eta} left",
            ),
            None => (
                ProgressBar::no_length(),
                "{spinner} {binary_bytes}  {msg}  {elapsed}",
            ),
        };
        let style = ProgressStyle::with_template(template);
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }
}

#[cfg(target_family = "wasm")]
mod bar {
    /// Nothing: there is no terminal to draw on.
    pub struct Progress;

    impl Progress {
        /// Work that is not shown.
        pub fn new(_verb: &'static str, _total: Option<u64>) -> Self {
            Progress
        }

        /// Does nothing.
        pub fn update(&mut self, _bytes: u64, _count: u64) {}

        /// Does nothing.
        pub fn finish(&mut self) {}
    }
}

pub use bar::Progress;
