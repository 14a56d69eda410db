//! What is found in a configuration, said to the user, in the form that was asked for.

use std::io::IsTerminal;

use clap::ValueEnum;
use config::diagnostic::Diagnostics;
use config::record::Record;
use config::source::Sources;

use crate::failure::{Failure, Result, status};
use crate::host::paths;

/// The form of diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Underlined text on standard error, in colours on a terminal.
    #[default]
    Human,
    /// One JSON object a line on standard output.
    Json,
}

/// Says diagnostics as they come and counts the errors among them.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    form: Form,
    errors: usize,
}

impl Findings {
    /// Nothing was said yet.
    pub(crate) fn new(form: Form) -> Findings {
        Findings { form, errors: 0 }
    }

    /// Says all of `diagnostics`.
    pub(crate) fn say(&mut self, diagnostics: &Diagnostics, sources: &Sources) -> Result<()> {
        self.errors += diagnostics.errors();
        match self.form {
            Form::Human => {
                let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                eprint!("{}", paths::shortened(diagnostics.render(sources, colour)));
            }
            Form::Json => {
                for diagnostic in diagnostics.iter() {
                    let line = serde_json::to_string(&Record::new(diagnostic, sources)).map_err(Failure::new)?;
                    println!("{}", paths::shortened(line));
                }
            }
        }
        Ok(())
    }

    /// A failure with status 65 if there was an error.
    pub(crate) fn verdict(&self) -> Result<()> {
        match self.errors {
            0 => Ok(()),
            1 => Err(Failure::new("the configuration has an error").status(status::CONFIGURATION)),
            count => Err(Failure::new(format!("the configuration has {count} errors")).status(status::CONFIGURATION)),
        }
    }
}
