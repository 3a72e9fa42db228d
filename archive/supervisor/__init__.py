"""Programs kept running: started in order, restarted when they die, stopped in the reverse order, their lines kept."""

from archive.supervisor.lines import Lines
from archive.supervisor.program import Program
from archive.supervisor.supervisor import Supervisor

__all__ = ["Lines", "Program", "Supervisor"]
