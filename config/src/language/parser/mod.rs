//! From words to a [`VmSpec`].
//!
//! Every word is an option or belongs to the option before it. `cpu`, `vdev`, `reserve` and `pass` open a context;
//! sub-options attach to the context that was opened last, and the other options neither join nor end it. After a
//! mistake the parser goes on, so that one run reports all of them.

mod arguments;
mod cpu;
mod finish;
mod life;
mod lines;
mod location;
mod memory;
mod pass;
mod process;
mod radix;
mod settings;
mod texts;
mod unknown;
mod vdev;

use std::collections::BTreeSet;

use super::MOST_ERRORS;
use super::lexer::Word;
use super::substitution::Environment;
use super::vocabulary::{self, Entry, Place, Refusal, Status};
use crate::assemble::Architecture;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Sources;
use crate::spec::{FileId, Span, Spanned, VmSpec};
use texts::Text;
use vdev::RefusedVdev;

pub use settings::name_problem;

/// The state of reading one VM.
pub(super) struct Parser<'a> {
    sources: &'a mut Sources,
    environment: Environment<'a>,
    /// The text that is being read, last, and those that it was pulled in from.
    texts: Vec<Text>,
    /// How much text was entered.
    bytes: usize,
    diagnostics: &'a mut Diagnostics,
    spec: VmSpec,
    context: Context,
    /// The first entry, if there was one.
    first: Option<Span>,
    /// A `ram` or `rom` was there, whatever became of it.
    memory_seen: bool,
    /// The option that last took a free text, and the index of the word behind that text in this file.
    last_text: Option<(&'static str, usize)>,
    /// Controllers that `intr` named: looked up at the end, when all names are known.
    controllers: Vec<Named>,
    /// The vdev that was refused last, while its context is open.
    refused: Option<RefusedVdev>,
    /// What was said to have no meaning, and in which file.
    without_meaning: BTreeSet<(FileId, String)>,
}

/// An interrupt controller's name in an `intr`.
struct Named {
    /// Index of the vdev that interrupts, and of the line in its list; `None` if it is an interrupt of the board's.
    vdev: Option<(usize, usize)>,
    name: Spanned<String>,
    /// How many vdevs there were by then, with the one that interrupts.
    vdevs: usize,
    /// Where the GIC got the name that it had by then, if it had got one.
    known: Option<Span>,
}

/// What sub-options attach to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// No context was opened yet.
    None,
    /// The vCPU with this index.
    Cpu(usize),
    /// The vdev with this index.
    Vdev(usize),
    /// A `reserve`, and whether it has reserved anything.
    Reserve { span: Span, filled: bool },
    /// The pass with this index, and whether it has passed anything.
    Pass { index: usize, filled: bool },
    /// Something that was refused: its sub-options are passed over, because its error is enough.
    Refused,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
        sources: &'a mut Sources,
        file: FileId,
        environment: Environment<'a>,
        diagnostics: &'a mut Diagnostics,
    ) -> Parser<'a> {
        let spec = VmSpec {
            file,
            system: None,
            memory: Vec::new(),
            cpus: Vec::new(),
            loads: Vec::new(),
            cmdline: None,
            reserves: Vec::new(),
            passes: Vec::new(),
            vdevs: Vec::new(),
            counter_offset: None,
            fdt_dump_file: None,
            dryrun: false,
            exit_on_halt: None,
            exit_budget: None,
            poweroff_timeout: None,
            life: Default::default(),
            unsupported_instruction: None,
            unsupported_reference: None,
            unsupported_register: None,
        };
        let mut parser = Parser {
            sources,
            environment,
            texts: Vec::new(),
            bytes: 0,
            diagnostics,
            spec,
            context: Context::None,
            first: None,
            memory_seen: false,
            last_text: None,
            controllers: Vec::new(),
            refused: None,
            without_meaning: BTreeSet::new(),
        };
        parser.enter(file, None);
        parser
    }

    /// Reads all words. The result means something only if no error was reported.
    pub(super) fn run(mut self) -> VmSpec {
        while let Some(word) = self.next_option().filter(|_| self.diagnostics.errors() < MOST_ERRORS) {
            if !word.broken && word.text.starts_with('@') {
                self.pull_in(&word);
                continue;
            }
            self.option(&word);
            self.first.get_or_insert(word.span);
        }
        self.open(Context::None);
        self.check_controllers();
        self.spec
    }

    /// Reads one option and its arguments; `word` was taken already.
    fn option(&mut self, word: &Word) {
        if word.broken {
            return self.skip_line(word);
        }
        match vocabulary::find(&word.text, |entry| entry.place == Place::Top || self.takes(entry)) {
            Some(entry) if self.is_refused_context() && entry.place != Place::Top => {
                self.skip(word, entry.argument_count());
                self.belongs_to_refused(word);
            }
            Some(entry) => self.entry(entry, word),
            None if self.is_refused_context() && !self.is_near_option(word) => {
                self.skip_line(word);
                self.belongs_to_refused(word);
            }
            None => self.unknown(word),
        }
    }

    fn is_refused_context(&self) -> bool {
        self.context == Context::Refused
    }

    /// Whether the context of the moment takes this sub-option.
    fn takes(&self, entry: &Entry) -> bool {
        match self.context {
            Context::None => false,
            Context::Cpu(_) => entry.place == Place::Cpu,
            Context::Vdev(index) => self.vdev_kind(index).is_some_and(|kind| entry.fits_vdev(kind)),
            Context::Reserve { .. } => entry.place == Place::Resource,
            Context::Pass { .. } => entry.place == Place::Pass,
            Context::Refused => matches!(entry.place, Place::AnyVdev | Place::Vdev(_) | Place::Resource | Place::Pass),
        }
    }

    fn vdev_kind(&self, index: usize) -> Option<&'static str> {
        self.spec.vdevs.get(index).map(|vdev| vdev.kind.word())
    }

    /// Whose guest is described.
    fn architecture(&self) -> Architecture {
        self.environment.host.architecture
    }

    /// What Ostler does with a word for this guest.
    fn status(&self, entry: &Entry) -> Status {
        entry.status(self.architecture())
    }

    fn entry(&mut self, entry: &'static Entry, word: &Word) {
        match (entry.place, entry.word, self.status(entry)) {
            (Place::Top, "guest" | "initrd" | "data" | "fdt" | "acpi", _) => self.typed(entry, word),
            (Place::Cpu, "cluster", _) => self.cluster(entry, word),
            (_, _, Status::Refused(refusal)) => {
                // What it was meant to pass is refused by its own name.
                if let Context::Pass { filled, .. } = &mut self.context {
                    *filled = true;
                }
                self.refuse(entry.word, word.span, refusal);
                self.skip(word, entry.argument_count());
            }
            (Place::Top, "system", _) => self.system(entry, word),
            (Place::Top, "ram" | "rom", _) => self.memory(entry, word),
            (Place::Top, "load", _) => self.load(entry, word, word.span, crate::spec::LoadKind::Sniffed),
            (Place::Top, "cmdline", _) => self.cmdline(entry, word),
            (Place::Top, "set", _) => self.set(entry, word),
            (Place::Top, "unsupported", _) => self.unsupported(entry, word),
            (Place::Top, "logger", _) => self.logger(entry, word),
            (Place::Top, "safety", _) => self.safety(entry, word),
            (Place::Top, "debug", _) => self.note_no_meaning(entry, word),
            (Place::Top, "dryrun", _) => self.spec.dryrun = true,
            (Place::Top, "cpu", _) => self.cpu(word),
            (Place::Top, "vdev", _) => self.vdev(entry, word),
            (Place::Top, "pass", _) => self.pass(false, word.span),
            (Place::Top, "reserve", _) => self.open(Context::Reserve { span: word.span, filled: false }),
            _ => match self.context {
                Context::Cpu(index) => self.cpu_option(index, entry, word),
                Context::Vdev(index) => self.vdev_option(index, entry, word),
                Context::Reserve { .. } => self.reserve_option(entry, word),
                Context::Pass { index, .. } => self.pass_option(index, entry, word),
                Context::None | Context::Refused => self.skip(word, entry.argument_count()),
            },
        }
    }

    /// Ends the context of the moment and opens another.
    fn open(&mut self, context: Context) {
        if let Context::Pass { index, filled: false } = self.context {
            self.passes_nothing(index);
        }
        self.report_refused();
        if let Context::Reserve { span, filled: false } = self.context {
            let diagnostic = Diagnostic::error(codes::EMPTY_CONTEXT, "`reserve` reserves nothing")
                .at(span)
                .hint("write `reserve loc START,LENGTH` or `reserve intr LINE`");
            self.diagnostics.push(diagnostic);
        }
        self.context = context;
    }

    /// Whether `word` would be read as an option here.
    fn is_option(&self, word: &Word) -> bool {
        word.text.starts_with('@')
            || vocabulary::find(&word.text, |entry| entry.place == Place::Top || self.takes(entry)).is_some()
    }

    /// Passes over the `count` arguments of `option`, but not over what is an option on another line.
    fn skip(&mut self, option: &Word, count: usize) {
        for _ in 0..count {
            match self.peek() {
                Some(word) if !self.is_option(word) || self.same_line(option, word) => self.pass_over(),
                _ => break,
            }
        }
    }

    /// Whether no line end stands between two words. Line ends mean nothing to the language, but after a mistake
    /// they tell what the writer had in mind.
    fn same_line(&self, one: &Word, other: &Word) -> bool {
        !self.between(one.span, other.span).contains('\n')
    }

    /// Reports that `what` is refused.
    fn refuse(&mut self, what: &str, span: Span, refusal: Refusal) {
        let message = format!("`{what}` {}", refusal.why);
        self.diagnostics.push(Diagnostic::error(codes::NOT_SUPPORTED, message).at(span).hint(refusal.instead));
    }

    /// Reports that Ostler does not have `what`.
    fn not_supported(&mut self, what: &str, span: Span, instead: &str) {
        let message = format!("`{what}` is not supported yet");
        self.diagnostics.push(Diagnostic::error(codes::NOT_SUPPORTED, message).at(span).hint(instead));
    }
}

/// From the start of one span to the end of another.
fn join(from: Span, to: Span) -> Span {
    Span { end: to.end, ..from }
}
