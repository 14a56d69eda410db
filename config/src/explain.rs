//! What a code means, at length: the text behind `cargo xtask check --explain CODE`.
//!
//! The texts are in `explain.md`: a heading for each of [`crate::codes`], a paragraph, and where it helps an example of what is wrong
//! and of what is right, one block for each VM. A test reads every example.

use crate::codes;

const TEXTS: &str = include_str!("explain.md");

/// The explanation of `code`, in any case, as plain text; `None` if there is no such code.
pub fn explain(code: &str) -> Option<String> {
    let (code, meaning) = codes::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(code))?;
    let mut text = format!("{code}: {meaning}\n");
    for block in blocks(section(code)?) {
        text.push('\n');
        match block {
            Block::Text(lines) => text.push_str(&(lines.trim().to_owned() + "\n")),
            Block::Example(kind, lines) => {
                let title = if kind == "right" { "Right:\n" } else { "Wrong:\n" };
                text.push_str(title);
                text.extend(lines.lines().flat_map(|line| ["    ", line, "\n"]));
            }
        }
    }
    Some(text)
}

/// A piece of an explanation.
#[derive(Debug, PartialEq, Eq)]
enum Block<'a> {
    Text(&'a str),
    /// `wrong` or `right`, and a qvm file.
    Example(&'a str, &'a str),
}

/// What stands under the heading of `code`.
fn section(code: &str) -> Option<&'static str> {
    TEXTS.split("# ").find_map(|section| section.strip_prefix(code)?.strip_prefix('\n'))
}

fn blocks(section: &str) -> Vec<Block<'_>> {
    // Texts and examples take turns, with a fence between them.
    let pieces = section.split("```").enumerate().map(|(index, piece)| match piece.split_once('\n') {
        Some((kind, lines)) if index % 2 == 1 => Block::Example(kind, lines),
        _ => Block::Text(piece),
    });
    pieces.filter(|block| !matches!(block, Block::Text(text) if text.trim().is_empty())).collect()
}

/// The qvm files of the examples of one kind, `wrong` or `right`.
#[cfg(test)]
pub(crate) fn examples(code: &str, kind: &str) -> Vec<&'static str> {
    let of_kind = |block| match block {
        Block::Example(other, lines) if other == kind => Some(lines),
        _ => None,
    };
    section(code).map_or(Vec::new(), |section| blocks(section).into_iter().filter_map(of_kind).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_and_every_explanation_is_of_a_code() {
        for (code, _) in codes::ALL {
            let text = explain(code).unwrap_or_else(|| panic!("explain.md has no `# {code}`"));
            assert!(text.lines().nth(2).is_some_and(|line| line.len() > 20), "{text}");
        }
        let headings: Vec<&str> = TEXTS.lines().filter_map(|line| line.strip_prefix("# Q")).collect();
        assert_eq!(headings.len(), codes::ALL.len());
        assert!(headings.is_sorted(), "the codes are out of order: {headings:?}");
    }

    #[test]
    fn an_explanation_is_plain_text() {
        insta::assert_snapshot!(explain("q0014").unwrap(), @r"
        Q0014: An option without its argument.

        The option takes an argument and the file ends before it.

        Wrong:
            ram

        Right:
            ram 64M
        ");
        assert_eq!(explain("Q9999"), None);
    }
}
