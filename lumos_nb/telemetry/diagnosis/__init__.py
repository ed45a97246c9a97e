"""What went wrong in a run and why, by rules over the log; and what many runs advise.

One idea: a rule is a function from what was recorded to findings; a finding has its evidence.
"""

from __future__ import annotations

from lumos_nb.telemetry.diagnosis.diagnosis import Diagnosis, diagnose
from lumos_nb.telemetry.diagnosis.finding import KINDS, Evidence, Finding
from lumos_nb.telemetry.diagnosis.recording import Recording, recorded

__all__ = ["KINDS", "Diagnosis", "Evidence", "Finding", "Recording", "diagnose", "recorded"]
