//! "Did you mean": the known word that a wrong one is closest to.

/// The candidate nearest to `word`, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody misspells that much, and the distance costs the product of both lengths.
    if word.len() > 40 {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word.to_lowercase(), candidate);
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|&(distance, candidate)| distance <= allowed && distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let words = ["ram", "rom", "vdev", "reserve", "cmdline"];
        assert_eq!(nearest("rma", words), Some("ram"));
        assert_eq!(nearest("VDEV", words), Some("vdev"));
        assert_eq!(nearest("reserved", words), Some("reserve"));
        assert_eq!(nearest("cmdlnie", words), Some("cmdline"));
        assert_eq!(nearest("512M", words), None);
        assert_eq!(nearest("", words), None);
        assert_eq!(nearest(&"r".repeat(1000), words), None);
    }
}
