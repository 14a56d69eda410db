//! A device of a board without a device tree, as `board.toml` describes it: `[[devices]]`.

use model::Trigger;
use serde::{Deserialize, Deserializer};

/// A device, and what it has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// What messages call it.
    pub name: String,
    /// Ranges of ports: the first one of each, and how many.
    #[serde(default)]
    pub ports: Vec<(u16, u16)>,
    /// Ranges of host-physical addresses: the first byte of each, and how many.
    #[serde(default)]
    pub memory: Vec<(u64, u64)>,
    /// Its interrupts, by the numbers that ACPI has for them: global system interrupts (ACPI 6.5, 5.2.13).
    #[serde(default)]
    pub lines: Vec<u32>,
    /// How these are triggered.
    #[serde(default = "edge", deserialize_with = "trigger")]
    pub trigger: Trigger,
    /// Its hardware ID, by which a guest that has it is told of it in the DSDT.
    pub acpi: Option<String>,
    /// Why it is Ostler's own, if it is.
    pub own: Option<String>,
    /// Why it is known to do DMA, if it does.
    pub dma: Option<String>,
}

impl Device {
    /// What is wrong with it, if something is.
    pub(super) fn check(&self) -> Result<(), String> {
        let name = &self.name;
        let beyond = |&(first, count): &(u16, u16)| count == 0 || u32::from(first) + u32::from(count) > 0x1_0000;
        if self.ports.iter().any(beyond) || self.memory.iter().any(|&(start, size)| start.checked_add(size).is_none()) {
            return Err(format!("device `{name}` has a range that is empty or ends nowhere"));
        }
        match self.acpi.as_ref().is_some_and(|id| id.len() != 7 || !id.is_ascii()) {
            true => Err(format!("device `{name}`: `acpi` is a hardware ID of seven letters, for example \"PNP0501\"")),
            false => Ok(()),
        }
    }
}

fn edge() -> Trigger {
    Trigger::Edge
}

fn trigger<'de, D: Deserializer<'de>>(input: D) -> Result<Trigger, D::Error> {
    match String::deserialize(input)?.as_str() {
        "edge" => Ok(Trigger::Edge),
        "level" => Ok(Trigger::Level),
        word => Err(serde::de::Error::custom(format!("`trigger` is \"edge\" or \"level\", not \"{word}\""))),
    }
}
