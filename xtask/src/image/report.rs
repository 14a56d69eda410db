//! What an image is made of, as a table for people or as JSON for programs.

use std::path::Path;

use config::assemble::Assembly;
use elf::ElfBytes;
use elf::abi::{SHF_ALLOC, SHT_NOBITS};
use elf::endian::LittleEndian;
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::host::{files, paths};

/// A part of the hypervisor's own memory.
#[derive(Debug)]
struct Section {
    name: String,
    bytes: u64,
    /// Whether it takes space in the image (`.bss` doesn't).
    stored: bool,
}

/// Something that the image carries for a guest.
#[derive(Debug)]
struct Blob {
    name: String,
    kind: String,
    bytes: usize,
    sha256: String,
}

/// The numbers of one image.
#[derive(Debug)]
pub(crate) struct Report {
    image: String,
    board: String,
    configuration: String,
    sha256: String,
    bytes: usize,
    bytes_without_guests: usize,
    sections: Vec<Section>,
    blobs: Vec<Blob>,
    vms: Vec<String>,
}

impl Report {
    /// Takes the numbers. `image_bytes` and `elf_bytes` are the files' contents.
    pub(crate) fn new(assembly: &Assembly, image: &Path, image_bytes: &[u8], elf_bytes: &[u8]) -> Result<Report> {
        let blobs = assembly.blobs.iter().map(|blob| Blob {
            name: blob.name.clone(),
            kind: format!("{:?}", blob.kind).to_lowercase(),
            bytes: blob.bytes.len(),
            sha256: files::hex(&blob.sha256),
        });
        Ok(Report {
            image: paths::shown(image),
            board: assembly.board.name.clone(),
            configuration: files::hex(&assembly.configuration),
            sha256: files::sha256(image_bytes),
            bytes: image_bytes.len(),
            bytes_without_guests: image_bytes.len() - assembly.image_section().len(),
            sections: sections(elf_bytes).ok_or_else(|| Failure::new("the hypervisor's ELF file has no sections"))?,
            blobs: blobs.collect(),
            vms: assembly.vms.iter().map(|vm| vm.name.clone()).collect(),
        })
    }

    /// One object for programs. Sizes are in bytes, hashes are SHA-256.
    pub(crate) fn json(&self) -> Value {
        let sections =
            self.sections.iter().map(|it| json!({ "name": it.name, "bytes": it.bytes, "stored": it.stored }));
        let guests = self.blobs.iter();
        let guests =
            guests.map(|it| json!({ "name": it.name, "kind": it.kind, "bytes": it.bytes, "sha256": it.sha256 }));
        json!({
            "image": self.image,
            "image_bytes": self.bytes,
            "image_bytes_without_guests": self.bytes_without_guests,
            "image_sha256": self.sha256,
            "board": self.board,
            "configuration_sha256": self.configuration,
            "vms": self.vms,
            "sections": sections.collect::<Vec<_>>(),
            "guests": guests.collect::<Vec<_>>(),
        })
    }

    /// A table for people.
    pub(crate) fn table(&self) -> String {
        let mut rows: Vec<(String, String, String)> = Vec::new();
        for section in &self.sections {
            let note = if section.stored { "" } else { "not stored" };
            rows.push((section.name.clone(), grouped(section.bytes), note.into()));
        }
        rows.push(("hypervisor".into(), grouped(self.bytes_without_guests as u64), "image without guests".into()));
        for blob in &self.blobs {
            let note = format!("{}, SHA-256 {}…", blob.kind, &blob.sha256[..12]);
            rows.push((blob.name.clone(), grouped(blob.bytes as u64), note));
        }
        rows.push((self.image.clone(), grouped(self.bytes as u64), format!("SHA-256 {}…", &self.sha256[..12])));
        let first = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
        let second = rows.iter().map(|row| row.1.len()).max().unwrap_or(0);
        let line = |(name, bytes, note): &(String, String, String)| {
            format!("{name:first$}  {bytes:>second$}  {note}").trim_end().to_owned() + "\n"
        };
        rows.iter().map(line).collect()
    }
}

/// The sections that take memory on the board.
fn sections(elf_bytes: &[u8]) -> Option<Vec<Section>> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(elf_bytes).ok()?;
    let (headers, names) = elf.section_headers_with_strtab().ok()?;
    let (headers, names) = (headers?, names?);
    let in_memory = headers.iter().filter(|header| header.sh_flags & u64::from(SHF_ALLOC) != 0 && header.sh_size > 0);
    let section = |header: elf::section::SectionHeader| {
        let name = names.get(header.sh_name as usize).ok()?.to_owned();
        Some(Section { name, bytes: header.sh_size, stored: header.sh_type != SHT_NOBITS })
    };
    in_memory.map(section).collect()
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(131_072), "131,072");
        assert_eq!(grouped(1_000), "1,000");
    }

    #[test]
    fn sections_of_a_program_are_found() {
        // This test itself is an ELF program on every machine that Ostler is developed on.
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let sections = sections(&own).unwrap();
        assert!(sections.iter().any(|section| section.name == ".text" && section.stored && section.bytes > 0));
        assert!(sections.iter().any(|section| section.name == ".bss" && !section.stored));
        assert!(!sections.iter().any(|section| section.name == ".symtab"), "not in memory");
    }
}
