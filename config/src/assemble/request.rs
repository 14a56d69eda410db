//! Carrying a [`Request`] from `xtask` to `hypervisor/build.rs` in environment variables.
//!
//! Cargo reruns a build script when a variable it named has changed, so a request in variables is all that it takes
//! to rebuild exactly what depends on it.

use std::path::Path;

use model::{GicVersion, OnFailure};
use serde::de::DeserializeOwned;

use crate::Request;

const BOARD: &str = "OSTLER_BOARD";
const CPUS: &str = "OSTLER_CPUS";
const MEMORY: &str = "OSTLER_MEMORY";
const GIC: &str = "OSTLER_GIC";
const ON_FAILURE: &str = "OSTLER_ON_FAILURE";
/// In JSON, because words, names and paths have any character in them.
const CONSOLES: &str = "OSTLER_CONSOLES";
const VMS: &str = "OSTLER_VMS";

impl Request {
    /// The variables that carry a request.
    pub const VARIABLES: [&'static str; 7] = [BOARD, CPUS, MEMORY, GIC, ON_FAILURE, CONSOLES, VMS];

    /// This request as variables. The root does not travel: both ends know it.
    /// A value of `None` is a variable to remove. Errors: a path that is not UTF-8.
    pub fn to_env(&self) -> Result<Vec<(&'static str, Option<String>)>, String> {
        Ok(vec![
            (BOARD, Some(self.board.clone())),
            (CPUS, self.cpus.map(|cpus| cpus.to_string())),
            (MEMORY, self.memory_bytes.map(|bytes| bytes.to_string())),
            (GIC, self.gic.map(|gic| gic.number().to_string())),
            (ON_FAILURE, self.on_failure.map(|action| action.word().to_owned())),
            (CONSOLES, Some(serde_json::to_string(&self.consoles).map_err(|error| error.to_string())?)),
            (VMS, Some(serde_json::to_string(&self.vms).map_err(|error| error.to_string())?)),
        ])
    }

    /// The request in the variables that `env` looks up; `None` if there is none.
    /// Errors: a number that is not one, a GIC that there is not, JSON that means nothing.
    pub fn from_env(root: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Request>, String> {
        let Some(vms) = list(env, VMS)? else { return Ok(None) };
        let gic: Option<u32> = number(env, GIC)?;
        let known =
            |number| GicVersion::from_number(number).ok_or_else(|| format!("{GIC}=`{number}` is no GIC's version"));
        let on_failure = env(ON_FAILURE).map(|word| {
            OnFailure::from_word(&word).ok_or_else(|| format!("{ON_FAILURE}=`{word}` is neither `reset` nor `halt`"))
        });
        Ok(Some(Request {
            root: root.to_owned(),
            board: env(BOARD).ok_or_else(|| format!("{VMS} is set but {BOARD} is not"))?,
            cpus: number(env, CPUS)?,
            memory_bytes: number(env, MEMORY)?,
            gic: gic.map(known).transpose()?,
            on_failure: on_failure.transpose()?,
            consoles: list(env, CONSOLES)?.unwrap_or_default(),
            vms,
        }))
    }
}

fn list<T: DeserializeOwned>(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<Option<Vec<T>>, String> {
    let text = env(name).filter(|text| !text.is_empty());
    text.map(|text| serde_json::from_str(&text).map_err(|error| format!("{name}=`{text}`: {error}"))).transpose()
}

fn number<T: std::str::FromStr>(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<Option<T>, String> {
    env(name).map(|text| text.parse().map_err(|_| format!("{name}=`{text}` is not a number"))).transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::PathBuf;

    use super::*;
    use crate::VmSource;

    #[test]
    fn a_request_travels() {
        let request = Request {
            root: PathBuf::from("/project"),
            board: "qemu-aarch64".into(),
            cpus: Some(2),
            memory_bytes: None,
            gic: Some(GicVersion::V2),
            on_failure: Some(OnFailure::Halt),
            consoles: vec!["/dev/ser1".into()],
            vms: vec![
                VmSource::File("guests/a b.qvmconf".into()),
                VmSource::Words { text: "@ü.qvmconf\n\"a\\\n b\"".into(), folder: "/tmp".into() },
            ],
        };
        let env: HashMap<_, _> =
            request.to_env().unwrap().into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let back = Request::from_env(Path::new("/project"), &|name| env.get(name).cloned());
        assert_eq!(back, Ok(Some(request)));
    }

    #[test]
    fn no_vms_is_no_request() {
        assert_eq!(Request::from_env(Path::new("/"), &|_| None), Ok(None));
    }

    #[test]
    fn bad_requests_are_errors() {
        const FILES: &str = r#"[{"file":"a"}]"#;
        let with = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned())
        };
        let no_board = Request::from_env(Path::new("/"), &with(&[(VMS, FILES)]));
        assert_eq!(no_board, Err("OSTLER_VMS is set but OSTLER_BOARD is not".into()));
        let no_json = Request::from_env(Path::new("/"), &with(&[(VMS, "a")])).unwrap_err();
        assert!(no_json.starts_with("OSTLER_VMS=`a`: "), "{no_json}");
        let bad_cpus = Request::from_env(Path::new("/"), &with(&[(VMS, FILES), (BOARD, "b"), (CPUS, "two")]));
        assert_eq!(bad_cpus, Err("OSTLER_CPUS=`two` is not a number".into()));
        let bad_gic = Request::from_env(Path::new("/"), &with(&[(VMS, FILES), (BOARD, "b"), (GIC, "1")]));
        let bad_action = Request::from_env(Path::new("/"), &with(&[(VMS, FILES), (BOARD, "b"), (ON_FAILURE, "smile")]));
        assert_eq!(bad_action, Err("OSTLER_ON_FAILURE=`smile` is neither `reset` nor `halt`".into()));
        assert_eq!(bad_gic, Err("OSTLER_GIC=`1` is no GIC's version".into()));
    }
}
