//! Where a part of a word's text stands in the file.
//!
//! A word in quotes is not in the file as it is in the spec: quotes, escapes and line ends in it are gone. This reads the word
//! once more and keeps count. Not with substitutions: their values are nowhere in the file.

use std::ops::Range;

/// The bytes of `raw`, the word as it stands in the file, that became bytes `part` of its `text`. `None` if that can't be said.
pub(crate) fn locate(raw: &str, text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let mut places = Vec::new();
    let mut quoted = false;
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let at = raw.len() - rest.len();
        let after = &rest[c.len_utf8()..];
        let line_end = ["\r\n", "\n"].iter().find_map(|end| after.strip_prefix(end));
        rest = match (c, after.chars().next()) {
            ('"', _) => {
                quoted = !quoted;
                after
            }
            ('\\', Some('"' | '\\' | '$')) if quoted => {
                places.push(at..at + 2);
                &after[1..]
            }
            ('\\', _) if quoted && line_end.is_some() => line_end?,
            _ => {
                places.extend(std::iter::repeat_n(at..at + c.len_utf8(), c.len_utf8()));
                after
            }
        };
    }
    // With a substitution in it, the word has another length, or else another text.
    let same = |(place, byte): (&Range<usize>, u8)| raw.as_bytes().get(place.end - 1) == Some(&byte) || byte >= 0x80;
    (places.len() == text.len() && places.iter().zip(text.bytes()).all(same)).then_some(())?;
    Some(places.get(part.start)?.start..places.get(part.end.checked_sub(1)?)?.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located<'a>(raw: &'a str, text: &str, part: &str) -> Option<&'a str> {
        let start = text.find(part).expect("a part of the text");
        locate(raw, text, start..start + part.len()).map(|range| &raw[range])
    }

    #[test]
    fn parts_are_found_past_quotes_escapes_and_line_ends() {
        assert_eq!(located("quiet", "quiet", "quiet"), Some("quiet"));
        assert_eq!(located("\"a console=x b\"", "a console=x b", "console=x"), Some("console=x"));
        assert_eq!(located(r#""a=\"b c\" \$d""#, r#"a="b c" $d"#, "$d"), Some("\\$d"));
        assert_eq!(located("\"ä \\\r\n  x\"", "ä   x", "x"), Some("x"));
        assert_eq!(located("a\" \"b", "a b", "b"), Some("b"));
        assert_eq!(located(r#""a\b c""#, r"a\b c", "c"), Some("c"));
    }

    #[test]
    fn nothing_is_said_where_values_were_put_in() {
        assert_eq!(located("\"$env{X} b\"", "long b", "b"), None);
        assert_eq!(located("$env{X}b", "1234567b", "b"), None);
    }
}
