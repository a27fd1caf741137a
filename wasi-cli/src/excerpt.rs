//! The line of a script that an error points at, with a caret under the place.

use anstyle::AnsiColor;
use driftdb_core::Span;
use unicode_width::UnicodeWidthChar;

use crate::errors::{Script, printable};

/// Columns of a line that are shown; a longer line is cut on both sides of the place.
const WIDTH: usize = 96;
/// Columns shown before the place when a line is cut.
const BEFORE: usize = 48;

/// The lines to put under an error's message, starting with a line break.
pub fn render(script: &Script, span: Span) -> String {
    let name = printable(&script.name);
    let mut place = Spot::find(&script.text, span);
    place.line += script.first_line.saturating_sub(1);
    let blue = AnsiColor::BrightBlue.on_default().bold();
    let red = AnsiColor::BrightRed.on_default().bold();
    let number = place.line.to_string();
    let gap = " ".repeat(number.len());
    let Spot { line, column, .. } = place;
    let (shown, indent, width) = place.cut();
    let (pad, carets) = (" ".repeat(indent), "^".repeat(width));
    format!(
        "\n{gap}{blue}-->{blue:#} {name}:{line}:{column}\n{gap} {blue}|{blue:#}\n\
         {blue}{number} |{blue:#} {shown}\n{gap} {blue}|{blue:#} {pad}{red}{carets}{red:#}"
    )
}

/// Where a span is: its line (the first one, if it covers several) in three parts.
struct Spot<'a> {
    line: u64,
    /// Counted in characters, from 1.
    column: usize,
    before: &'a str,
    marked: &'a str,
    after: &'a str,
}

impl<'a> Spot<'a> {
    fn find(text: &'a str, span: Span) -> Self {
        let start = boundary(text, span.start);
        let (above, below) = text.split_at(start);
        let before = above.rsplit('\n').next().unwrap_or_default();
        let rest = below.split('\n').next().unwrap_or_default();
        let rest = rest.strip_suffix('\r').unwrap_or(rest);
        let length = boundary(rest, span.end.saturating_sub(start));
        let (marked, after) = rest.split_at(length);
        let line = above.matches('\n').count() as u64 + 1;
        Spot {
            line,
            column: before.chars().count() + 1,
            before,
            marked,
            after,
        }
    }

    /// The line as it is shown, the columns before the caret, and how many carets there are.
    fn cut(&self) -> (String, usize, usize) {
        let (before, marked) = (printable(self.before), printable(self.marked));
        let mut head: String = take(before.chars().rev(), BEFORE).chars().rev().collect();
        if head.len() < before.len() {
            head.insert(0, '…');
        }
        let indent = width(&head);
        let marked_shown = take(marked.chars(), WIDTH - BEFORE);
        let room = WIDTH.saturating_sub(indent + width(&marked_shown));
        let reach = self
            .after
            .char_indices()
            .nth(room)
            .map_or(self.after.len(), |(at, _)| at);
        let after = printable(self.after.get(..reach).unwrap_or_default());
        let tail = take(after.chars(), room);
        let cut = marked_shown.len() < marked.len()
            || tail.len() < after.len()
            || reach < self.after.len();
        let end = if cut { "…" } else { "" };
        let carets = width(&marked_shown).max(1);
        (format!("{head}{marked_shown}{tail}{end}"), indent, carets)
    }
}

/// As many of the characters as fit into so many columns.
fn take(characters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= columns
    };
    characters.take_while(fits).collect()
}

fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The nearest character boundary at or below.
fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, start: usize, end: usize) -> String {
        let script = Script {
            name: "-e".into(),
            text: text.into(),
            first_line: 1,
        };
        let styled = render(&script, Span::new(start, end));
        anstream::adapter::strip_str(&styled).to_string()
    }

    #[test]
    fn the_caret_stands_under_the_place() {
        let text = "SELECT 1;\nSELECT * FORM t;\n";
        let says = "\n --> -e:2:10\n  |\n2 | SELECT * FORM t;\n  |          ^^^^";
        assert_eq!(shown(text, 19, 23), says);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert!(shown("'日本' x", 9, 10).ends_with("1 | '日本' x\n  |        ^"));
    }

    #[test]
    fn a_place_at_or_beyond_the_end_is_shown_after_the_text() {
        assert!(shown("SELECT", 6, 6).ends_with("1 | SELECT\n  |       ^"));
        assert!(shown("SELECT", 600, 700).ends_with("1 | SELECT\n  |       ^"));
        assert!(shown("", 0, 0).ends_with("1 | \n  | ^"));
    }

    #[test]
    fn a_span_over_lines_is_shown_by_its_first() {
        assert!(shown("{\"a\":\r\n1", 0, 8).ends_with("1 | {\"a\":\n  | ^^^^^"));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}?{}", "a".repeat(5000), "b".repeat(5000));
        let says = shown(&text, 5000, 5001);
        assert!(says.contains("-e:1:5001"), "{says}");
        assert!(says.contains(&format!("…{}?bb", "a".repeat(48))), "{says}");
        assert!(
            says.lines().all(|line| line.chars().count() < 110),
            "{says}"
        );
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert!(!shown("a\x1b[31mb", 1, 2).contains('\x1b'));
    }
}
