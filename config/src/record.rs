//! Diagnostics for programs: what a person reads as underlined text, as plain fields.
//!
//! `cargo xtask check --format json` writes one a line. Lines and columns count from 1, columns in characters.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Level};
use crate::source::{Place, Sources};
use crate::spec::Span;

/// One diagnostic. Fields without a value are `null`: not everything is about a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// `error`, `warning` or `note`.
    pub level: &'static str,
    /// One of [`crate::codes`].
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// The text at fault.
    #[serde(flatten)]
    pub at: Location,
    /// Other places of interest, and what is said there.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A run of characters in a file; all `None` if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The path that the file was read by.
    pub file: Option<String>,
    /// Line of the first character.
    pub line: Option<usize>,
    /// Its place in the line.
    pub column: Option<usize>,
    /// Line of the end.
    pub end_line: Option<usize>,
    /// One past the last character.
    pub end_column: Option<usize>,
}

/// A place and what is said there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The place.
    #[serde(flatten)]
    pub at: Location,
    /// As "first claimed here".
    pub message: String,
}

impl Record {
    /// The same as `diagnostic` says.
    pub fn new(diagnostic: &Diagnostic, sources: &Sources) -> Record {
        let label = |(span, text): &(Span, String)| Label { at: Location::new(*span, sources), message: text.clone() };
        Record {
            level: match diagnostic.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note => "note",
            },
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            at: diagnostic.span.map(|span| Location::new(span, sources)).unwrap_or_default(),
            labels: diagnostic.labels.iter().map(label).collect(),
            hint: diagnostic.hint.clone(),
        }
    }
}

impl Location {
    fn new(span: Span, sources: &Sources) -> Location {
        let place = |at| sources.place(Span { start: at, ..span });
        let (start, end): (Option<Place>, Option<Place>) = (place(span.start), place(span.end));
        Location {
            file: sources.get(span.file).map(|source| source.path().to_string_lossy().into_owned()),
            line: start.map(|start| start.line),
            column: start.map(|start| start.column),
            end_line: end.map(|end| end.line),
            end_column: end.map(|end| end.column),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::codes;
    use crate::diagnostic::Diagnostics;
    use crate::spec::FileId;

    #[test]
    fn every_field_is_where_programs_look_for_it() {
        let mut sources = Sources::new();
        let text = "ram 1M\ncmdline \"ä\" ö\n";
        sources.add(Path::new("a.qvmconf"), text.into(), &mut Diagnostics::new()).unwrap();
        let span = |start, end| Span { file: FileId(0), start, end };
        let diagnostic = Diagnostic::warning(codes::RADIX, "odd").at(span(20, 22)).label(span(0, 3), "here").hint("do");
        insta::assert_snapshot!(serde_json::to_string(&Record::new(&diagnostic, &sources)).unwrap(), @r#"{"level":"warning","code":"Q0022","message":"odd","file":"a.qvmconf","line":2,"column":13,"end_line":2,"end_column":14,"labels":[{"file":"a.qvmconf","line":1,"column":1,"end_line":1,"end_column":4,"message":"here"}],"hint":"do"}"#);
        let about_no_text = Record::new(&Diagnostic::note(codes::RADIX, "odd"), &sources);
        insta::assert_snapshot!(serde_json::to_string(&about_no_text).unwrap(), @r#"{"level":"note","code":"Q0022","message":"odd","file":null,"line":null,"column":null,"end_line":null,"end_column":null,"labels":[],"hint":null}"#);
    }
}
