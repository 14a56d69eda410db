//! What a VM's end leads to, and what of that hardly anybody can mean.

use model::When;

use super::Restart;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{LifeSpec, Span, Spanned, VmSpec};

/// What its end leads to.
pub(super) fn restart(spec: &LifeSpec) -> Restart {
    let default = model::Restart::DEFAULT;
    Restart {
        when: spec.restart.map_or(default.when, |when| when.value),
        delay_ms: spec.delay.map_or(default.delay_ms, |delay| delay.value),
        limit: spec.limit.map(|limit| limit.value),
        group: spec.group.as_ref().map(|group| group.value.clone()),
        board_stop: spec.board_stop.is_some_and(|on| on.value),
    }
}

/// Whether it starts again by policy, and not only when its guest wants to.
fn has_policy(spec: &LifeSpec) -> bool {
    spec.restart.is_some_and(|when| matches!(when.value, When::OnFailure | When::Always))
}

/// Complains of what contradicts itself; warns of what changes nothing.
pub(super) fn check(vms: &[(String, &VmSpec)], diagnostics: &mut Diagnostics) {
    for (index, (name, spec)) in vms.iter().enumerate() {
        let life = &spec.life;
        for (what, span) in [("delay", life.delay.map(|it| it.span)), ("limit", life.limit.map(|it| it.span))] {
            if let Some(span) = span.filter(|_| !has_policy(life)) {
                let message = format!("VM `{name}` has a restart {what} and no policy that it could be for");
                let hint =
                    "a guest's own reset neither waits nor counts: add `set ostler-restart on-failure` or `always`";
                diagnostics.push(idle(message, span).hint(hint));
            }
        }
        if let Some(group) = &life.group {
            self::group(group, index, vms).into_iter().for_each(|warning| diagnostics.push(warning));
        }
        if let (Some(time), Some(never)) = (life.progress_timeout, spec.exit_on_halt.filter(|on| !on.value)) {
            let message = format!("VM `{name}` cannot be watched: nobody sees its vCPUs wait");
            let error = Diagnostic::error(codes::CONTRADICTION, message)
                .at(time.span)
                .label(never.span, "this hides when a vCPU waits")
                .hint("leave out either `exit-on-halt off` or `ostler-progress-timeout`");
            diagnostics.push(error);
        }
    }
}

/// A group of one, or one in which nobody begins.
fn group(group: &Spanned<String>, index: usize, vms: &[(String, &VmSpec)]) -> Option<Diagnostic> {
    let name = &group.value;
    let of = |spec: &VmSpec| spec.life.group.clone().filter(|other| other.value == *name);
    let others = || vms.iter().enumerate().filter(|(other, (_, spec))| *other != index && of(spec).is_some());
    if others().next().is_none() {
        let mut warning = idle(format!("`{}` is alone in the restart group `{name}`", vms[index].0), group.span);
        let groups = vms.iter().filter_map(|(_, spec)| spec.life.group.as_ref());
        let nearest = crate::language::nearest(name, groups.map(|it| it.value.as_str()).filter(|other| other != name));
        warning = warning.hint(match nearest {
            Some(nearest) => format!("did you mean the group `{nearest}`?"),
            None => "name the same group in the files of those that are to start again with it".to_owned(),
        });
        return Some(warning);
    }
    // Said once, at the first of them.
    let is_first = others().all(|(other, _)| other > index);
    let anybody = vms.iter().any(|(_, spec)| of(spec).is_some() && has_policy(&spec.life));
    if !is_first || anybody {
        return None;
    }
    let mut warning = idle(format!("nobody in the restart group `{name}` starts again by policy"), group.span);
    for (_, (_, spec)) in others() {
        warning = warning.label(of(spec)?.span, "also in the group");
    }
    Some(warning.hint("add `set ostler-restart on-failure` or `always` to at least one of them"))
}

fn idle(message: String, span: Span) -> Diagnostic {
    Diagnostic::warning(codes::IDLE_SETTING, message).at(span)
}
