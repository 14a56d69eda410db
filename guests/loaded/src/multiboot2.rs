//! The information of Multiboot2 (2.0, section 3.6).

use crate::given::{self, Entry, Given, Module};
use crate::memory::{self, number, until_zero, word};

/// EAX.
pub(crate) const MAGIC: u32 = 0x36d7_6289;

pub(crate) fn read(address: u32) -> Result<Given, &'static str> {
    if !address.is_multiple_of(8) {
        return Err("the information is not aligned");
    }
    let length = word(memory::bytes(address.into(), 8)?, 0);
    let info = memory::bytes(address.into(), length.into())?;
    let tags = || Tags { rest: info.get(8..).unwrap_or_default() };
    let tag = |kind| tags().find(|tag| tag.kind == kind).map(|tag| tag.body);
    if tags().last().is_none_or(|tag| tag.kind != 0) {
        return Err("the information has no last tag");
    }
    let sizes = tag(4).ok_or("no sizes of memory")?;
    say!("{} KiB below 640 KiB, {} KiB from 1 MiB on", word(sizes, 0), word(sizes, 4));
    say!("loaded by \"{}\"", until_zero(tag(2).ok_or("no loader's name")?)?);
    let modules = tags().filter(|tag| tag.kind == 3).map(|tag| Module {
        name: tag.body.get(8..).and_then(|name| until_zero(name).ok()).unwrap_or("?"),
        start: word(tag.body, 0).into(),
        end: word(tag.body, 4).into(),
    });
    let map = tag(6).ok_or("no memory map")?;
    let entry = |it: &[u8]| Entry { start: number(it, 0, 8), size: number(it, 8, 8), kind: word(it, 16) };
    let entries = map.get(8..).unwrap_or_default().chunks_exact(word(map, 0).max(24) as usize);
    Ok(Given {
        command_line: until_zero(tag(1).ok_or("no command line")?)?,
        modules: given::first(modules),
        map: given::first(entries.map(entry)),
        root: tag(15).unwrap_or_default(),
    })
}

/// A tag of the information.
struct Tag {
    kind: u32,
    body: &'static [u8],
}

/// The tags, with the last one, which is of kind 0.
struct Tags {
    rest: &'static [u8],
}

impl Iterator for Tags {
    type Item = Tag;

    fn next(&mut self) -> Option<Tag> {
        let (kind, size) = (word(self.rest, 0), word(self.rest, 4) as usize);
        let body = self.rest.get(8..size)?;
        self.rest = if kind == 0 { &[] } else { self.rest.get(size.next_multiple_of(8)..).unwrap_or_default() };
        Some(Tag { kind, body })
    }
}
