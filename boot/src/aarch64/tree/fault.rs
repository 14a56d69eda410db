//! What can be wrong with a tree, and what was left out of account, with the name of the node.

use arrayvec::ArrayString;
use core::fmt;

/// A node's name for messages, cut to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeName(ArrayString<40>);

impl NodeName {
    /// Copies a name out of the tree; what is no printable ASCII becomes `?`.
    pub(super) fn new(name: &[u8]) -> Self {
        let mut copy = ArrayString::new();
        for &byte in name.iter().take(copy.capacity()) {
            // It fits: one byte a character.
            let _ = copy.try_push(if byte.is_ascii_graphic() { char::from(byte) } else { '?' });
        }
        NodeName(copy)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

/// The tree can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeError {
    /// What is wrong.
    pub fault: Fault,
    /// The node in question, or the root.
    pub node: NodeName,
}

impl TreeError {
    pub(super) fn new(fault: Fault, node: &[u8]) -> Self {
        TreeError { fault, node: NodeName::new(node) }
    }
}

impl From<Fault> for TreeError {
    fn from(fault: Fault) -> Self {
        TreeError { fault, node: NodeName::default() }
    }
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device tree, node {}: {}", self.node, self.fault)
    }
}

/// What is wrong with a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The magic number is missing.
    NotATree,
    /// A format before or after version 17.
    Version(u32),
    /// This part ends early or lies outside of the tree.
    Truncated(&'static str),
    /// No such token.
    Token(u32),
    /// A property whose name is not in the strings block.
    PropertyName,
    /// A property that follows a child node.
    LateProperty,
    /// More nodes closed than opened, or the other way round, or a second root.
    Unbalanced,
    /// Nodes nested more deeply than 16.
    TooDeep,
    /// A property whose length or value makes no sense.
    Malformed(&'static str),
    /// More of something than there is room for.
    TooMany(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotATree => f.write_str("the magic number is missing"),
            Fault::Version(version) => write!(f, "version {version}, need 17"),
            Fault::Truncated(part) => write!(f, "the {part} is truncated or misplaced"),
            Fault::Token(token) => write!(f, "unknown token {token:#x}"),
            Fault::PropertyName => f.write_str("a property's name is not in the strings block"),
            Fault::LateProperty => f.write_str("a property follows a child node"),
            Fault::Unbalanced => f.write_str("nodes are not properly nested"),
            Fault::TooDeep => f.write_str("nodes are nested too deeply"),
            Fault::Malformed(property) => write!(f, "`{property}` is malformed"),
            Fault::TooMany(what) => write!(f, "more {what} than Ostler has room for"),
        }
    }
}

/// Something in the tree that was not used, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The node.
    pub node: NodeName,
    /// Why it was not used, as the rest of a sentence that starts with the node's name.
    pub why: &'static str,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device tree, node {}: {}", self.node, self.why)
    }
}
