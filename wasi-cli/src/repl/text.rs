//! What the session must know of a statement's text before it is parsed: whether it is complete, and which word is being typed.

/// Whether what was typed can be run: a command, nothing, or statements that end with `;`.
pub fn is_complete(text: &str) -> bool {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.starts_with('.') {
        return true;
    }
    let mut scan = Scan::default();
    let mut last = ' ';
    for c in text.chars() {
        let plain = scan.step(c);
        if plain && !c.is_whitespace() {
            last = c;
        }
    }
    matches!(scan.state, State::Plain | State::Line) && last == ';'
}

/// Whether the end of the text is neither in a string nor in a comment, so that a keyword may stand there.
pub fn ends_plain(text: &str) -> bool {
    let mut scan = Scan::default();
    for c in text.chars() {
        scan.step(c);
    }
    scan.state == State::Plain
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Plain,
    /// After a `-` or a `/` that may begin a comment.
    Maybe(char),
    Quoted(char),
    Escape(char),
    Line,
    Block,
    /// After a `*` in a block comment.
    BlockStar,
}

#[derive(Default)]
struct Scan {
    state: State,
}

impl Scan {
    /// Takes a character; whether it is outside of strings and comments.
    fn step(&mut self, c: char) -> bool {
        self.state = match (self.state, c) {
            (State::Maybe('-'), '-') => State::Line,
            (State::Maybe('/'), '*') => State::Block,
            (State::Plain | State::Maybe(_), '\'' | '"' | '`') => State::Quoted(c),
            (State::Plain | State::Maybe(_), '-' | '/') => State::Maybe(c),
            (State::Plain | State::Maybe(_), _) => State::Plain,
            (State::Quoted(quote), '\\') if quote != '`' => State::Escape(quote),
            (State::Quoted(quote), _) if c == quote => State::Plain,
            (State::Escape(quote), _) => State::Quoted(quote),
            (State::Line, '\n') => State::Plain,
            (State::Block, '*') | (State::BlockStar, '*') => State::BlockStar,
            (State::BlockStar, '/') => State::Plain,
            (State::BlockStar, _) => State::Block,
            (state, _) => state,
        };
        matches!(self.state, State::Plain) && !matches!(c, '/' | '\'' | '"' | '`')
    }
}

/// Where the word that ends the text begins.
pub fn word_start(text: &str) -> usize {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.char_indices()
        .rev()
        .take_while(|(_, c)| word(*c))
        .last()
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_complete_at_its_semicolon() {
        for text in [
            "",
            "  ",
            ".help",
            "SELECT 1;",
            "a; -- b",
            "a;/* x;",
            "';';",
            "\"\\\";\";",
            "a;\n",
        ] {
            let complete = text != "a;/* x;";
            assert_eq!(is_complete(text), complete, "{text}");
        }
        for text in ["SELECT", "a ';", "a -- ;", "a /* ; */", "`;", "'\\';"] {
            assert!(!is_complete(text), "{text}");
        }
    }

    #[test]
    fn the_word_at_the_end_is_found() {
        assert_eq!(word_start("SELECT * FRO"), 9);
        assert_eq!(word_start("a "), 2);
        assert_eq!(word_start(""), 0);
        assert!(!ends_plain("WHERE a = 'SEL"));
        assert!(ends_plain("WHERE a = 'x' AN"));
    }
}
