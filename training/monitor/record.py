"""What a look at a champion leaves in MLflow: a run in an experiment of its own."""

from __future__ import annotations

import json

from training.card.document import Picture, to_html, to_markdown
from training.monitor.report import MEANING, MonitorReport
from training.registry import Registry, model_name

EXPERIMENT = "keepwell/monitor"


def log_monitoring(registry: Registry, report: MonitorReport) -> str:
    """Log the report as a run: parameters, figures, the tag `status` by which runs are searched, JSON and page; the run's id."""
    name = f"{model_name(report.company, report.horizon_days)} version {report.version} as of {report.as_of}"
    with registry.run(EXPERIMENT, name) as run:
        facts = ("company", "horizon_days", "version", "as_of", "trained_as_of", "data_until")
        run.log_params({fact: getattr(report, fact) for fact in facts})
        run.log_metrics(report.figures())
        run.log_tags({"company": report.company, "horizon_days": report.horizon_days, "status": report.status})
        run.log_note(f"{report.status}: {MEANING[report.status]}")
        run.log_text(json.dumps(report.as_dict(), indent=1, default=str), "report.json")
        page = report.page()
        run.log_text(to_html(page), "report.html")
        run.log_text(to_markdown(page), "report.md")
        for block in page:
            if isinstance(block, Picture):
                run.log_figure(block.figure, block.path)
    return run.id
