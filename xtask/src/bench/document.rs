//! `docs/performance.md`: what stands between its marks is written here, not typed.

use crate::failure::{Failure, Result};
use crate::host::{files, paths};

const FILE: &str = "docs/performance.md";

/// Puts `texts` between the marks of their names.
pub(crate) fn write(texts: &[(String, String)]) -> Result<()> {
    let path = paths::root().join(FILE);
    let mut page = String::from_utf8_lossy(&files::read(&path)?).into_owned();
    for (name, text) in texts {
        page = replaced(&page, name, text)
            .ok_or_else(|| Failure::new(format!("{FILE} has no marks of `{name}`: {} … {}", begin(name), end(name))))?;
    }
    files::write(&path, page.as_bytes()).map(drop)
}

fn begin(name: &str) -> String {
    format!("<!-- generated: {name} -->\n")
}

fn end(name: &str) -> String {
    format!("<!-- end: {name} -->")
}

fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(&begin(name))?;
    let (_, after) = rest.split_once(&end(name))?;
    Some(format!("{before}{}{text}{}{after}", begin(name), end(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let page = "a\n<!-- generated: x -->\nold\n<!-- end: x -->\nb\n";
        let new = "a\n<!-- generated: x -->\nnew\n<!-- end: x -->\nb\n";
        assert_eq!(replaced(page, "x", "new\n").as_deref(), Some(new));
        assert_eq!(replaced(new, "x", "new\n").as_deref(), Some(new));
        assert_eq!(replaced(page, "y", ""), None);
    }
}
