//! The command line: a list of steps.
//!
//! | word | step |
//! |---|---|
//! | `width=1\|2\|4\|8` | bytes of later loads and stores; 4 to begin with |
//! | `load=ADDRESS` `store=ADDRESS` | one register's |
//! | `pair=ADDRESS` | a load of two registers, which nobody emulates |
//! | `fetch=ADDRESS` | a call of code there, or on x86 a jump |
//! | `walk=ADDRESS` | a load through page tables at that address |
//! | `register` | a read of a system register that no table lists |
//! | `instruction` | one that the hypervisor gets and that means nothing |
//! | `hvc=FUNCTION` `smc=FUNCTION` | arm64: a call with zero arguments |
//! | `vmmcall=FUNCTION` | x86: the same |
//! | `in=PORT` `out=PORT` | x86: one of the width |
//! | `storm=N` | N calls of a function that does not exist, one after the other |
//! | `noise` | interrupts without end on all vCPUs, from here on |
//! | `spin` | an endless loop with interrupts masked |
//! | `triple` | x86: an exception for which there is no handler, nor for those that follow |
//! | `reset` | the machine's reset |
//!
//! Numbers are decimal, or hexadecimal after `0x`.

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Width(u64),
    Load(u64),
    Store(u64),
    Pair(u64),
    Fetch(u64),
    Walk(u64),
    Register,
    Instruction,
    Hvc(u64),
    Smc(u64),
    Vmmcall(u64),
    In(u64),
    Out(u64),
    Storm(u64),
    Noise,
    Spin,
    Triple,
    Reset,
}

/// The steps of `command_line`, or the word that is none.
pub(crate) fn parse(command_line: &str) -> impl Iterator<Item = Result<Step, &str>> {
    command_line.split_whitespace().map(|word| step(word).ok_or(word))
}

fn step(word: &str) -> Option<Step> {
    match word {
        "register" => return Some(Step::Register),
        "instruction" => return Some(Step::Instruction),
        "noise" => return Some(Step::Noise),
        "spin" => return Some(Step::Spin),
        "triple" => return Some(Step::Triple),
        "reset" => return Some(Step::Reset),
        _ => {}
    }
    let (name, value) = word.split_once('=')?;
    let step = match name {
        "width" => Step::Width,
        "load" => Step::Load,
        "store" => Step::Store,
        "pair" => Step::Pair,
        "fetch" => Step::Fetch,
        "walk" => Step::Walk,
        "hvc" => Step::Hvc,
        "smc" => Step::Smc,
        "vmmcall" => Step::Vmmcall,
        "in" => Step::In,
        "out" => Step::Out,
        "storm" => Step::Storm,
        _ => return None,
    };
    let number = match value.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => value.parse(),
    };
    number.ok().map(step)
}

#[cfg(test)]
mod tests {
    use super::{Step::*, parse};

    #[test]
    fn steps_in_order() {
        let steps = |text| parse(text).collect::<Result<Vec<_>, _>>();
        assert_eq!(steps(""), Ok(vec![]));
        let all = steps("load=0x9000000 width=8 store=16 pair=0 fetch=1 walk=2 register instruction");
        assert_eq!(
            all,
            Ok(vec![Load(0x900_0000), Width(8), Store(16), Pair(0), Fetch(1), Walk(2), Register, Instruction])
        );
        let calls = steps("hvc=0x84000000 smc=3 vmmcall=0 storm=10");
        assert_eq!(calls, Ok(vec![Hvc(0x8400_0000), Smc(3), Vmmcall(0), Storm(10)]));
        let rest = steps("in=0x60 out=96 noise spin triple reset");
        assert_eq!(rest, Ok(vec![In(0x60), Out(0x60), Noise, Spin, Triple, Reset]));
    }

    #[test]
    fn the_first_word_that_is_no_step_is_named() {
        for wrong in ["jump", "load", "load=", "load=0xg", "load=1=2", "spin=1", "Load=1"] {
            assert_eq!(parse(&format!("reset {wrong}")).find_map(Result::err), Some(wrong));
        }
    }
}
