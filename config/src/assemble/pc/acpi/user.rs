//! The tables that `acpi load` names: each a table by its own header.

use std::collections::HashMap;

use super::{UserTable, acpi_loads};
use crate::assemble::files::{Files, file_name};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{Span, VmSpec};

/// Length of a table's header (ACPI 6.5, 5.2.6).
const HEADER_BYTES: usize = 36;
/// What is made here, or is found by no list (5.2.5 to 5.2.11).
const OWN: [&[u8; 4]; 6] = [b"FACP", b"DSDT", b"APIC", b"XSDT", b"RSDT", b"FACS"];

/// The tables of a VM that are tables; what is none is reported.
pub(in super::super) fn user_tables(spec: &VmSpec, files: &mut Files, diagnostics: &mut Diagnostics) -> Vec<UserTable> {
    let mut tables = Vec::new();
    let mut seen: HashMap<Vec<u8>, Span> = HashMap::new();
    for load in acpi_loads(spec) {
        let Some(bytes) = files.read(load, diagnostics) else { continue };
        let name = file_name(&load.path.value);
        match problem(&bytes) {
            Some((message, hint)) => {
                let error = Diagnostic::error(codes::ACPI_TABLE, format!("`{name}` {message}")).at(load.path.span);
                diagnostics.push(error.hint(hint));
            }
            None => {
                if let Some(first) = seen.insert(bytes.clone(), load.path.span) {
                    let warning = Diagnostic::warning(codes::ACPI_TABLE, format!("`{name}` is there twice"));
                    diagnostics.push(warning.at(load.path.span).label(first, "first loaded here"));
                }
                let address = load.address.as_ref().map(|address| address.value);
                tables.push(UserTable { name, address, bytes, span: load.path.span });
            }
        }
    }
    tables
}

/// Why a file is no table that a guest could be given, and what to do about it.
fn problem(bytes: &[u8]) -> Option<(String, &'static str)> {
    const COMPILE: &str = "compile it by `iasl`: the file that ends in `.aml` is the table";
    let header = match bytes.get(..HEADER_BYTES) {
        Some(header) if header[..4].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) => header,
        Some(_) => return Some(("is no ACPI table: it does not begin with a signature".into(), COMPILE)),
        None => return Some(("is too short for an ACPI table".into(), COMPILE)),
    };
    let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    if bytes.len() as u64 != u64::from(length) {
        let message = format!("says that it is {length} bytes long, and has {}", bytes.len());
        return Some((message, "make it anew, or copy it again"));
    }
    if bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) != 0 {
        return Some(("has a wrong checksum".into(), "make it anew: `iasl` sets the checksum"));
    }
    if OWN.iter().any(|own| header[..4] == own[..]) {
        let signature = String::from_utf8_lossy(&header[..4]).into_owned();
        let hint = "what it has beside the generated one can be an SSDT";
        return Some((format!("is a {signature}, which every guest gets already"), hint));
    }
    None
}
