//! The zero page of Linux's boot protocol (Documentation/arch/x86/zero-page.rst).

use crate::given::{self, Entry, Given, Module};
use crate::memory::{self, number, word};

pub(crate) fn read(address: u32) -> Result<Given, &'static str> {
    let page = memory::bytes(address.into(), 4096)?;
    if number(page, 0x1fe, 2) != 0xaa55 || word(page, 0x202) != u32::from_le_bytes(*b"HdrS") {
        return Err("the zero page has no setup header");
    }
    let entries = page[0x2d0..].chunks_exact(20).take(page[0x1e8].into());
    let entry = |it: &[u8]| Entry { start: number(it, 0, 8), size: number(it, 8, 8), kind: word(it, 16) };
    let (start, size) = (u64::from(word(page, 0x218)), u64::from(word(page, 0x21c)));
    let initrd = (size != 0).then_some(Module { name: "initrd", start, end: start + size });
    Ok(Given {
        command_line: memory::text(word(page, 0x228).into())?,
        modules: given::first(initrd.into_iter()),
        map: given::first(entries.map(entry)),
        root: memory::bytes(number(page, 0x70, 8), 36)?,
    })
}
