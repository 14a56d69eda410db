//! The examples of `explain.md` are true: what is wrong gets its code, what is right does not.

use super::Project;
use crate::codes::{self, ALL};
use crate::explain::examples;

/// What an example may lack, because it is a piece of a file.
const LEFT_OUT: [&str; 3] = [codes::NO_PROGRAM, codes::VDEV_OPTION, codes::NO_HOSTDEV];

/// The board that the examples of `code` are for.
fn project(code: &str) -> Project {
    if code.starts_with("Q03") { Project::x86() } else { Project::new() }
}

#[test]
fn examples_are_true() {
    let (mut count, mut untrue) = (0, Vec::new());
    for &(code, _) in ALL {
        let (wrong, right) = (examples(code, "wrong"), examples(code, "right"));
        assert!(right.is_empty() || !wrong.is_empty(), "{code}: right, but nothing is wrong");
        if !wrong.is_empty() {
            let outcome = project(code).run(&wrong);
            if !outcome.codes.contains(&code) {
                untrue.push(format!("{code}: this is not wrong:\n{}", outcome.text));
            }
            count += 1;
        }
        if !right.is_empty() {
            let outcome = project(code).run(&right);
            if outcome.codes.iter().any(|said| !LEFT_OUT.contains(said) || *said == code) {
                untrue.push(format!("{code}: this is not right:\n{}", outcome.text));
            }
        }
    }
    assert!(untrue.is_empty(), "{}", untrue.join("\n"));
    assert!(count > 35, "the examples were not found");
}
