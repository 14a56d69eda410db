//! Reads a flattened device tree, strictly: the file is a user's, and what is wrong with it should be said.
//!
//! (The crates that read trees on boards are lenient or panic on damage; they serve as the oracle in tests.)

use super::{Node, Tree};

/// Devicetree Specification 0.4, section 5.2: the header's first number.
const MAGIC: u32 = 0xd00d_feed;
/// The oldest version that this one can be read as.
const VERSION: u32 = 17;
/// Section 5.4.1: tokens of the structure block.
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROP: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;
/// Deeper than any tree is: a damaged one must not exhaust the stack.
const DEPTH_LIMIT: usize = 64;

/// The tree in `bytes`. The error says what is wrong with it.
pub(in super::super) fn read(bytes: &[u8]) -> Result<Tree, String> {
    let header = |index: usize| u32_at(bytes, index * 4);
    if header(0) != Some(MAGIC) {
        return Err("it is no flattened device tree (source files are compiled by `dtc` first)".into());
    }
    let truncated = || "it is truncated".to_owned();
    let header = |index: usize| header(index).map(|value| value as usize).ok_or_else(truncated);
    let (total, structure, names, reservations) = (header(1)?, header(2)?, header(3)?, header(4)?);
    let (version, oldest) = (header(5)? as u32, header(6)? as u32);
    if version < VERSION || oldest > VERSION {
        return Err(format!("it is of version {version}, and only {VERSION} is known"));
    }
    let bytes = bytes.get(..total).ok_or_else(truncated)?;
    let structure = bytes.get(structure..).and_then(|rest| rest.get(..header(9).ok()?));
    let names = bytes.get(names..).and_then(|rest| rest.get(..header(8).ok()?));
    let (Some(structure), Some(names)) = (structure, names) else {
        return Err("its header points outside of it".into());
    };
    let mut reader = Reader { structure, names, offset: 0 };
    let root = match reader.token()? {
        BEGIN_NODE => reader.node("", 0)?,
        other => return Err(format!("it begins with token {other}")),
    };
    if reader.token()? != END {
        return Err("something follows its root".into());
    }
    Ok(Tree { root, reservations: read_reservations(bytes, reservations)? })
}

/// Section 5.3.2: pairs until one is zero.
fn read_reservations(bytes: &[u8], mut offset: usize) -> Result<Vec<(u64, u64)>, String> {
    let mut list = Vec::new();
    loop {
        let pair = (u64_at(bytes, offset), u64_at(bytes, offset.saturating_add(8)));
        match pair {
            (Some(0), Some(0)) => return Ok(list),
            (Some(address), Some(size)) => list.push((address, size)),
            _ => return Err("its list of reservations has no end".into()),
        }
        offset += 16;
    }
}

struct Reader<'a> {
    structure: &'a [u8],
    names: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn word(&mut self) -> Result<u32, String> {
        let word = u32_at(self.structure, self.offset).ok_or("its structure ends too early")?;
        self.offset += 4;
        Ok(word)
    }

    fn token(&mut self) -> Result<u32, String> {
        loop {
            match self.word()? {
                NOP => {}
                token => return Ok(token),
            }
        }
    }

    /// What follows BEGIN_NODE of a node in the one at `above`.
    fn node(&mut self, above: &str, depth: usize) -> Result<Node, String> {
        let name = text(self.structure.get(self.offset..).unwrap_or(&[]))?;
        let path = if depth < 2 { format!("/{name}") } else { format!("{above}/{name}") };
        if depth == DEPTH_LIMIT {
            return Err(format!("it is too deep: node `{path}` is below {DEPTH_LIMIT} others"));
        }
        if name.contains('/') || name.is_empty() != (depth == 0) {
            return Err(format!("`{name}` in node `{above}` is no node's name"));
        }
        self.offset = (self.offset + name.len() + 1).next_multiple_of(4);
        let mut node = Node::new(name);
        loop {
            match self.token()? {
                PROP => {
                    let (length, name) = (self.word()? as usize, self.word()? as usize);
                    let name = text(self.names.get(name..).unwrap_or(&[]))?;
                    let value = self.structure.get(self.offset..).and_then(|rest| rest.get(..length));
                    let in_node = || format!("property `{name}` of node `{path}`");
                    let value = value.ok_or_else(|| format!("{} is longer than the tree", in_node()))?;
                    if node.get(name).is_some() {
                        return Err(format!("{} is there twice", in_node()));
                    }
                    node.set(name, value);
                    self.offset = (self.offset + length).next_multiple_of(4);
                }
                BEGIN_NODE => {
                    let child = self.node(&path, depth + 1)?;
                    if node.children.iter().any(|other| other.name == child.name) {
                        return Err(format!("node `{}` in node `{path}` is there twice", child.name));
                    }
                    node.children.push(child);
                }
                END_NODE => return Ok(node),
                other => return Err(format!("it has a token {other} in node `{path}`")),
            }
        }
    }
}

/// The text up to the first zero.
fn text(bytes: &[u8]) -> Result<&str, String> {
    let end = bytes.iter().position(|&byte| byte == 0).ok_or("one of its names has no end")?;
    std::str::from_utf8(&bytes[..end]).map_err(|_| "one of its names is no text".into())
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(offset..)?.first_chunk()?))
}
