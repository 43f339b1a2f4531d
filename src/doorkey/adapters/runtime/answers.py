"""How each step is answered from the ports; the same table serves both runtimes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from doorkey.flows import steps
from doorkey.flows.steps import Step
from doorkey.ports import Accounts, Attempts, Choices, Clock, Entropy, Leases, Signatures, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What flows can ask for."""

    accounts: Accounts
    leases: Leases
    attempts: Attempts
    choices: Choices
    transport: Transport
    signatures: Signatures
    clock: Clock
    entropy: Entropy


def answers(ports: Ports) -> dict[type[Step], Callable[[Any], Any]]:
    """Return the function that answers each kind of step; `Detach` is the runtime's own."""
    return {
        steps.Now: lambda _: ports.clock.now(),
        steps.Random: lambda step: ports.entropy.bytes(step.size),
        steps.Sleep: lambda step: ports.clock.sleep(step.span),
        steps.Send: lambda step: ports.transport.send(step.request),
        steps.Load: lambda step: ports.accounts.load(step.account),
        steps.Save: lambda step: ports.accounts.save(step.held, read=step.read),
        steps.SaveStanding: lambda step: ports.accounts.save_standing(step.account),
        steps.FindAccount: lambda step: ports.accounts.find(step.account),
        steps.TakeLease: lambda step: ports.leases.take(step.account, step.span),
        steps.OwnsLease: lambda step: ports.leases.owns(step.lease, step.span),
        steps.ExtendLease: lambda step: ports.leases.extend(step.lease, step.span),
        steps.ReleaseLease: lambda step: ports.leases.release(step.lease),
        steps.Version: lambda _: ports.accounts.version(),
        steps.Recall: lambda step: ports.choices.get(step.name),
        steps.Remember: lambda step: ports.choices.set(step.name, step.text),
        steps.SaveAttempt: lambda step: ports.attempts.save(step.attempt, was=step.was),
        steps.VerifyIdToken: lambda step: ports.signatures.claims(step.token, step.jwks),
    }
