//! A device tree as source text: version 1 of the format (Devicetree Specification 0.4, chapter 6), in `dtc`'s look.
//!
//! A blob does not say what its values are, so their form is guessed by dtc's rule: strings if they can be read as such, else cells
//! if the length allows it, else bytes. The text compiles to the same tree.

use std::fmt::Write;

use super::{Node, Tree, read};

/// The text of the flattened tree in `blob`. The error says what is wrong with it.
pub fn device_tree_source(blob: &[u8]) -> Result<String, String> {
    let Tree { root, reservations } = read(blob)?;
    let mut text = String::from("/dts-v1/;\n\n");
    for (address, size) in reservations {
        text.push_str(&format!("/memreserve/\t{address:#018x} {size:#018x};\n"));
    }
    node(&root, 0, &mut text);
    Ok(text)
}

fn node(node: &Node, depth: usize, text: &mut String) {
    let indentation = "\t".repeat(depth);
    let name = if depth == 0 { "/" } else { &node.name };
    text.push_str(&format!("{indentation}{name} {{\n"));
    for (name, value) in &node.properties {
        let value = if value.is_empty() { String::new() } else { format!(" = {}", self::value(value)) };
        text.push_str(&format!("{indentation}\t{name}{value};\n"));
    }
    for child in &node.children {
        text.push('\n');
        self::node(child, depth + 1, text);
    }
    text.push_str(&format!("{indentation}}};\n"));
}

/// A property's value, which is not empty.
fn value(bytes: &[u8]) -> String {
    if is_strings(bytes) {
        let strings = bytes.strip_suffix(&[0]).unwrap_or(bytes).split(|&byte| byte == 0);
        return strings.map(quoted).collect::<Vec<_>>().join(", ");
    }
    let (open, close, items): (_, _, Vec<String>) = match bytes.as_chunks::<4>() {
        (cells, []) => ('<', '>', cells.iter().map(|cell| format!("{:#04x}", u32::from_be_bytes(*cell))).collect()),
        _ => ('[', ']', bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    format!("{open}{}{close}", items.join(" "))
}

/// Printable text, with an end behind it, and not mostly ends.
fn is_strings(bytes: &[u8]) -> bool {
    let ends = bytes.iter().filter(|&&byte| byte == 0).count();
    bytes.last() == Some(&0) && bytes.iter().all(|&byte| byte == 0 || is_text(byte)) && ends <= bytes.len() - ends
}

/// What C calls printable or writes with a letter after a backslash.
fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | 0x07..=0x0d)
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        let letter = match byte {
            0x07 => 'a',
            0x08 => 'b',
            b'\t' => 't',
            b'\n' => 'n',
            0x0b => 'v',
            0x0c => 'f',
            b'\r' => 'r',
            b'"' | b'\\' => char::from(byte),
            _ => {
                text.push(char::from(byte));
                continue;
            }
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "\\{letter}");
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::super::{cells, strings, wide};
    use super::*;

    fn tree() -> Tree {
        let mut root = Node::default();
        root.set("#address-cells", cells(&[2])).set("compatible", strings(&["a,b", "c \"d\" \\ \t"])).set("ranges", []);
        let child = root.child("uart@9000000");
        child.set("reg", wide(&[0x900_0000, 0x1000])).set("mac", [1, 2, 0xab]).set("zero", cells(&[0]));
        child.child("leaf").set("text", strings(&["console=ttyAMA0"]));
        root.child("empty");
        Tree { root, reservations: vec![(0x4000_0000, 0x1000)] }
    }

    /// What `dtc` makes of `input`; `None` where it is not installed, and under Miri, which starts no processes.
    fn dtc(from: &str, to: &str, input: &[u8]) -> Option<Vec<u8>> {
        if cfg!(miri) {
            return None;
        }
        let mut command = Command::new("dtc");
        command.args(["-q", "-I", from, "-O", to]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().ok()?;
        std::io::Write::write_all(&mut child.stdin.take()?, input).ok()?;
        let output = child.wait_with_output().ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(output.stdout)
    }

    #[test]
    fn values_are_shown_as_what_they_look_like() {
        let (blob, _) = tree().write().unwrap();
        insta::assert_snapshot!(device_tree_source(&blob).unwrap().replace('\t', "    "), @r#"
        /dts-v1/;

        /memreserve/    0x0000000040000000 0x0000000000001000;
        / {
            #address-cells = <0x02>;
            compatible = "a,b", "c \"d\" \\ \t";
            ranges;

            uart@9000000 {
                reg = <0x00 0x9000000 0x00 0x1000>;
                mac = [01 02 ab];
                zero = <0x00>;

                leaf {
                    text = "console=ttyAMA0";
                };
            };

            empty {
            };
        };
        "#);
    }

    #[test]
    fn what_is_no_tree_has_no_text() {
        assert!(device_tree_source(b"/dts-v1/;").unwrap_err().starts_with("it is no flattened device tree"));
    }

    #[test]
    fn it_is_the_text_of_dtc_and_dtc_reads_it_back() {
        let (blob, _) = tree().write().unwrap();
        let text = device_tree_source(&blob).unwrap();
        let Some(theirs) = dtc("dtb", "dts", &blob) else { return };
        // Before 1.7, dtc wrote a list of strings as one with zeros in it.
        assert_eq!(text, String::from_utf8(theirs).unwrap().replace("\\0", "\", \""));
        let back = dtc("dts", "dtb", text.as_bytes()).unwrap();
        assert_eq!(read(&back).unwrap(), tree());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
        #[test]
        #[cfg_attr(miri, ignore = "it is about what dtc says, and Miri starts no processes")]
        fn any_value_survives(values in proptest::collection::vec(proptest::collection::vec(prop_oneof![
            Just(0), b' '..=b'~', 7_u8..=13, any::<u8>()], 0..12), 1..40)) {
            let mut root = Node::default();
            for (index, value) in values.iter().enumerate() {
                root.set(&format!("p{index}"), value.as_slice());
            }
            let tree = Tree { root, reservations: vec![] };
            let text = device_tree_source(&tree.write().unwrap().0).unwrap();
            if let Some(back) = dtc("dts", "dtb", text.as_bytes()) {
                prop_assert_eq!(read(&back).unwrap(), tree);
            }
        }
    }
}
