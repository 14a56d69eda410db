//! The hypervisor's symbols and debug information: what lies behind an address, and a console's log with names in it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use addr2line::Loader;
use elf::ElfBytes;
use elf::endian::LittleEndian;

/// Bytes of an instruction.
const INSTRUCTION_BYTES: u64 = 4;
/// Addresses on this line are those that calls return to.
const RETURNS: &str = "called from";
/// Where the compiler was told that the project is.
const PROJECT: &str = "/ostler/";

/// Symbols and debug information of one ELF file.
pub struct Symbols {
    loader: Loader,
    by_address: BTreeMap<u64, String>,
    text: Range<u64>,
}

impl fmt::Debug for Symbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Symbols").field("count", &self.by_address.len()).field("text", &self.text).finish()
    }
}

/// A function that an instruction belongs to, and where in its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its name.
    pub function: String,
    /// The file, if it is known.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
}

impl Symbols {
    /// Reads an ELF file. The error says what is wrong with it.
    pub fn read(elf: &Path) -> Result<Symbols, String> {
        let bytes = std::fs::read(elf).map_err(|error| error.to_string())?;
        let loader = Loader::new(elf).map_err(|error| error.to_string())?;
        let elf = ElfBytes::<LittleEndian>::minimal_parse(&bytes).map_err(|error| error.to_string())?;
        let text = elf.section_header_by_name(".text").ok().flatten().ok_or("it has no section `.text`")?;
        let text = text.sh_addr..text.sh_addr.saturating_add(text.sh_size);
        let (symbols, names) = elf.symbol_table().ok().flatten().ok_or("it has no symbols")?;
        let named =
            symbols.iter().filter_map(|symbol| Some((symbol.st_value, names.get(symbol.st_name as usize).ok()?)));
        // Assembly has marks of its own that say where data begins and code does; the linker script says where sections end.
        let of_code = named.filter(|(at, name)| {
            text.contains(at) && !name.is_empty() && !name.starts_with('$') && !name.ends_with("_end")
        });
        let by_address = of_code.map(|(address, name)| (address, demangled(name))).collect();
        Ok(Symbols { loader, by_address, text })
    }

    /// The functions that the instruction at `pc` belongs to: inlined ones first, at last the one that was compiled. Of
    /// assembly, its symbol.
    pub fn frames(&self, pc: u64) -> Vec<Frame> {
        let mut found = Vec::new();
        if let Ok(mut frames) = self.loader.find_frames(pc) {
            while let Ok(Some(frame)) = frames.next() {
                let Some(function) = frame.function.and_then(|function| Some(function.demangle().ok()?.into_owned()))
                else {
                    continue;
                };
                let (file, line) = frame.location.map_or((None, None), |at| (at.file, at.line));
                let file = file.map(|file| file.strip_prefix(PROJECT).unwrap_or(file).to_owned());
                found.push(Frame { function, file, line });
            }
        }
        if found.is_empty() {
            let function = self.symbol(pc).map_or_else(|| format!("{pc:#x}"), |(_, name)| name.to_owned());
            found.push(Frame { function, file: None, line: None });
        }
        found
    }

    /// The last symbol that is not behind `address`.
    fn symbol(&self, address: u64) -> Option<(u64, &str)> {
        self.by_address.range(..=address).next_back().map(|(&start, name)| (start, name.as_str()))
    }

    /// `function+offset (file:line)` for an address in the text. With `is_return`, the line is that of the call before it.
    pub fn name(&self, address: u64, is_return: bool) -> Option<String> {
        if !self.text.contains(&address) {
            return None;
        }
        let at = if is_return { address - INSTRUCTION_BYTES } else { address };
        let (start, function) = self.symbol(at)?;
        let offset = address - start;
        let frames = self.frames(at);
        // The line of ours rather than one of the standard library that was inlined there.
        let ours = frames.iter().find(|frame| frame.file.as_ref().is_some_and(|file| !file.starts_with("/rustc/")));
        let innermost = ours.or(frames.first())?;
        let place = match (&innermost.file, innermost.line) {
            (Some(file), Some(line)) => format!(" ({file}:{line})"),
            (Some(file), None) => format!(" ({file})"),
            _ => String::new(),
        };
        Some(format!("{function}+{offset:#x}{place}"))
    }

    /// `line` with a name behind every address of the text.
    pub fn named(&self, line: &str) -> String {
        let is_return = line.contains(RETURNS);
        let mut named = String::new();
        let mut rest = line;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
            let end = rest[start..]
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .map_or(rest.len(), |end| start + end);
            named += &rest[..end];
            if let Some(name) = address(&rest[start..end]).and_then(|address| self.name(address, is_return)) {
                named += &format!(" {name}");
            }
            rest = &rest[end..];
        }
        named + rest
    }
}

/// The number that `word` is if it can be an address: hexadecimal with `0x`, or all 16 digits.
fn address(word: &str) -> Option<u64> {
    let digits = word.strip_prefix("0x").or_else(|| (word.len() == 16).then_some(word))?;
    u64::from_str_radix(digits, 16).ok()
}

fn demangled(name: &str) -> String {
    addr2line::demangle_auto(Cow::Borrowed(name), None).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This test itself is an ELF file with debug information.
    fn own() -> Symbols {
        Symbols::read(&std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn addresses_of_the_text_get_names() {
        let symbols = own();
        let function = |(_, name): &(&u64, &String)| name.contains("symbols::tests::addresses_of_the_text_get_names");
        let (&start, name) = symbols.by_address.iter().find(function).unwrap();
        let (pc, back) = (start + 4, start + 8);
        let line = symbols.named(&format!("\x1e[ostler] pc {pc:#x}, {pc:016x}; far 0x10 pc{pc:#x} {pc:x}\r"));
        let named = format!("{name}+0x4 (");
        assert_eq!(line.matches(&named).count(), 2, "{line}");
        assert!(line.starts_with(&format!("\x1e[ostler] pc {pc:#x} {named}")) && line.ends_with('\r'), "{line}");
        assert!(line.contains("symbols.rs:"), "{line}");
        let line = symbols.named(&format!("called from {back:#x}"));
        assert!(line.starts_with(&format!("called from {back:#x} {name}+0x8 (")), "{line}");
    }

    #[test]
    fn what_is_no_address_stays() {
        let symbols = own();
        let outside = symbols.text.end;
        for line in ["", "\r", "0x", "zz 0xffffffffffffffffff", &format!("at {outside:#x}"), "ü 0x0 …"] {
            assert_eq!(symbols.named(line), line);
        }
    }

    #[test]
    fn a_file_without_symbols_is_refused() {
        let error = Symbols::read(Path::new("/dev/null")).unwrap_err();
        assert!(!error.is_empty());
    }
}
