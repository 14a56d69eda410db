//! The code of every diagnostic, in one place.
//!
//! A code never changes its meaning and is never used again, so that it can be searched for and quoted. Q00xx is
//! the language (text, words, numbers, contexts), Q01xx is the assembler's checks (board, images, other VMs).

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal,)+) => {
        $($(#[doc = $meaning])+ pub const $name: &str = $code;)+

        /// Every code and what it means.
        pub const ALL: &[(&str, &str)] = &[$(($code, concat!($($meaning),+).trim_ascii())),+];
    };
}

codes! {
    /// A qvm file cannot be read.
    UNREADABLE = "Q0001",
    /// A qvm file is not UTF-8.
    NOT_UTF8 = "Q0002",
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for (code, meaning) in super::ALL {
            let digits = code.strip_prefix('Q').expect(code);
            assert!(digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
            assert!(seen.insert(code), "{code} is there twice");
            assert!(meaning.ends_with('.'), "{code}: {meaning}");
        }
    }
}
