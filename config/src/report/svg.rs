//! Text that is safe in HTML and SVG, and the few elements that the pictures are made of.

use std::fmt::Display;

/// `text` with what HTML would read as its own made plain: names in a report are a user's.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// A picture under construction.
pub(super) struct Svg {
    body: String,
}

impl Svg {
    pub(super) fn new() -> Svg {
        Svg { body: String::new() }
    }

    /// A rectangle with a tool tip.
    pub(super) fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64), tip: &str) {
        self.body.push_str(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{}</title></rect>\n",
            escaped(tip)
        ));
    }

    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), text: impl Display) {
        let text = escaped(&text.to_string());
        self.body.push_str(&format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n"));
    }

    pub(super) fn path(&mut self, class: &str, d: &str) {
        self.body.push_str(&format!("<path class=\"{class}\" d=\"{d}\"/>\n"));
    }

    /// The whole element, `id` unique in its page, with its title and description for those who do not see it.
    pub(super) fn finish(self, id: &str, (width, height): (f64, f64), title: &str, description: &str) -> String {
        format!(
            "<svg role=\"img\" aria-labelledby=\"{id}-title {id}-text\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\">\n<title id=\"{id}-title\">{}</title>\n\
             <desc id=\"{id}-text\">{}</desc>\n{}</svg>\n",
            escaped(title),
            escaped(description),
            self.body
        )
    }
}

/// `text`, cut to `most` characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
    }
}
