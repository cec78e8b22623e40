"""What changed between the plan that was shown and the plan of now, in sentences (law 2)."""

from __future__ import annotations

from nodes.domain.text import Text, say
from operations.domain.plan import Gate, Plan, Step


def differences(shown: Plan, now: Plan) -> list[Text]:
    """One sentence for each difference; empty only when the plans are equal."""
    found = [
        *_revision(shown, now),
        *_steps(shown, now),
        *_gates(shown, now),
        *_fences(shown, now),
        *_warnings(shown, now),
    ]
    if not found and shown.hash != now.hash:
        found.append(say("The wording or the time limits of the plan changed."))
    return found


def _revision(shown: Plan, now: Plan) -> list[Text]:
    if shown.settings_revision == now.settings_revision:
        return []
    return [
        say(
            "The settings changed: revision %(old)s was shown, now it is %(new)s.",
            old=shown.settings_revision,
            new=now.settings_revision,
        )
    ]


def _steps(shown: Plan, now: Plan) -> list[Text]:
    old, new = ({step.key: step for step in plan.steps} for plan in (shown, now))
    gone = [
        say("No longer in the plan: %(title)s.", title=old[k].title) for k in old if k not in new
    ]
    added = [say("New in the plan: %(title)s.", title=new[k].title) for k in new if k not in old]
    changed = [_changed(old[key], new[key]) for key in old if key in new and old[key] != new[key]]
    moved = [key for key in old if key in new] != [key for key in new if key in old]
    return [*gone, *added, *changed, *([say("The order of the steps changed.")] if moved else [])]


def _changed(old: Step, new: Step) -> Text:
    if old.node != new.node:
        return say("%(title)s: runs on %(node)s now.", title=new.title, node=new.node)
    if old.argv != new.argv:
        return say("%(title)s: the command changed.", title=new.title)
    if old.proof != new.proof:
        return say("%(title)s: another effect must be proven.", title=new.title)
    return say("%(title)s: changed.", title=new.title)


def _gates(shown: Plan, now: Plan) -> list[Text]:
    old, new = ({gate.id: gate for gate in plan.gates} for plan in (shown, now))
    return [
        *(say("No longer to be confirmed: %(why)s", why=old[k].why) for k in old if k not in new),
        *(_confirm(new[k]) for k in new if old.get(k) != new[k]),
    ]


def _fences(shown: Plan, now: Plan) -> list[Text]:
    old, new = ({fence.host for fence in plan.fences} for plan in (shown, now))
    return [
        *(say("%(host)s answers again: it needs no fence.", host=h) for h in sorted(old - new)),
        *(
            say("%(host)s does not answer any more: %(fence)s", host=f.host, fence=f.why)
            for f in now.fences
            if f.host not in old
        ),
    ]


def _confirm(gate: Gate) -> Text:
    return say("To be confirmed now: %(why)s", why=gate.why)


def _warnings(shown: Plan, now: Plan) -> list[Text]:
    return [say("New warning: %(text)s", text=w) for w in now.warnings if w not in shown.warnings]
