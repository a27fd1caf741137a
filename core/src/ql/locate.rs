//! Where a span is, for people: line and column.

use crate::error::Span;

/// A place in a script. Lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// How many characters the span has on this line, at least 1: what carets go under.
    pub width: usize,
    /// The text of the line, without its end.
    pub text: &'a str,
}

/// Where the span starts in the script.
pub fn locate(script: &str, span: Span) -> Location<'_> {
    let mut start = span.start.min(script.len());
    while !script.is_char_boundary(start) {
        start -= 1;
    }
    let (before, after) = script.split_at_checked(start).unwrap_or((script, ""));
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line_end = start + after.find('\n').unwrap_or(after.len());
    let text = script.get(line_start..line_end).unwrap_or_default();
    let text = text.strip_suffix('\r').unwrap_or(text);
    let marked = script.get(start..span.end.min(line_end).max(start));
    Location {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        width: marked.unwrap_or_default().chars().count().max(1),
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_columns_and_widths() {
        let script = "SELECT é\r\nFROM t\n";
        let at = |start, end| locate(script, Span::new(start, end));
        let (line, column, width, text) = (1, 8, 1, "SELECT é");
        assert_eq!(
            at(7, 9),
            Location {
                line,
                column,
                width,
                text
            }
        );
        let (line, column, width, text) = (2, 1, 4, "FROM t");
        assert_eq!(
            at(11, 15),
            Location {
                line,
                column,
                width,
                text
            }
        );
        assert_eq!(at(11, 99).width, 6);
        assert_eq!(
            (at(18, 18).line, at(99, 99).line, at(8, 8).column),
            (3, 3, 8)
        );
    }
}
