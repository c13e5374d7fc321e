"""report.html in a real browser: everything can be reached, searched, printed and read out, and nothing in it runs."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from integration.chromium import browser
from integration.node_packages import REPORT_PAGE, installed
from integration.report_page import ASSETS, build
from msgtrace_analysis.commands.writing import put
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers.html import render
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from tests.analysis.hostile import hostile_trace
from tests.analysis.javascript import unavailable
from tests.analysis.made_trace import MadeTrace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Dialog, Page

PAGES = (
    "overview", "graph", "events", "events/0", "timelines", "conversations", "topology", "resilience", "everything",
)  # fmt: skip
expect.set_options(timeout=20_000)  # milliseconds; a busy machine draws late
AXE = REPORT_PAGE.folder / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def written(folder: Path, fill: Callable[[MadeTrace], None]) -> Path:
    with MadeTrace(folder / "trace.duckdb", step_ns=20_000_000) as made:
        fill(made)
    with open_trace(made.path) as trace, Study(trace) as study:
        put({folder / "report.html": render(examine(study))})
    return folder / "report.html"


def shop(made: MadeTrace) -> None:
    """Orders that are placed, paid and mailed; some fail, and their bodies change in the middle."""
    for number in range(30):
        trigger = made.operation(
            "trigger", "http", service="web", channel="/orders", channel_kind="route", routing_key="POST"
        )
        body = {"id": f"o-{number}", "total": number, "lines": [{"sku": "a", "amount": 1}]}
        if number > 14:
            body |= {"version": 2, "currency": "EUR"}
        order = {"channel": "orders", "channel_kind": "topic", "event_type": "order.placed", "system": "kafka"}
        send = made.cause(trigger, made.send(service="web", body=body, **order))
        failed = {"outcome": "raised", "error_type": "ValueError"} if number % 10 == 9 else {}
        receive = made.receive(
            send, service="billing", handler="/app/billing.py:5 on_order", consumer_group="billing", **order, **failed
        )
        paid = {"channel": "payments", "channel_kind": "queue", "event_type": "payment.requested"}
        request = made.cause(receive, made.send(service="billing", body={"order": f"o-{number}"}, **paid))
        made.settle(
            "ack",
            made.receive(request, service="payments", **paid),
            service="payments",
            channel="payments",
            channel_kind="queue",
        )
        bus = {"channel": "bus", "channel_kind": "bus", "event_type": "audit", "system": "pyee"}
        made.cause(trigger, made.send(service="web", **bus))
    made.operation("declare", service="payments", channel="payments", channel_kind="queue",
                   settings={"action": "declare", "durable": True, "arguments": {"x-dead-letter-exchange": "dead"}})  # fmt: skip
    made.operation(
        "declare",
        service="payments",
        channel="dead",
        channel_kind="exchange",
        settings={"action": "declare", "exchange_type": "fanout"},
    )


def hundred(made: MadeTrace) -> None:
    """A hundred boxes: forty services and sixty topics."""
    words = [
        f"{one}{other}"
        for one in ("ash", "birch", "cedar", "elm", "fir", "oak", "pine", "yew")
        for other in ("bark", "leaf", "root", "seed", "twig", "wood", "grove", "field")
    ]
    for number, word in enumerate(words[:60]):
        order = {"channel": word, "channel_kind": "topic", "event_type": f"{word}.grown", "system": "kafka"}
        send = made.send(service=f"{words[number % 40]}-service", **order)
        for other in (number * 7 + 3, number * 3 + 11):
            made.receive(send, service=f"{words[other % 40]}-service", consumer_group=words[other % 40], **order)


def five_hundred(made: MadeTrace) -> None:
    """Five hundred event types with bodies, between sixty services that nearly all talk to each other."""
    for number in range(500):
        area, verb = (
            f"area{chr(97 + number % 25)}{chr(97 + number // 25)}",
            ("created", "removed", "approved")[number % 3],
        )
        order = {"channel": area, "channel_kind": "topic", "event_type": f"{area}.{verb}", "system": "kafka"}
        body = {
            "id": str(number),
            "lines": [{"sku": "s", "price": {"value": 1.5, "currency": "EUR"}}],
            area: {verb: [1, 2]},
        }
        send = made.send(service=f"{chr(97 + number % 20)}-service", body=body, **order)
        for other in (number * 7 + number // 20, number * 11 + number // 10):
            made.receive(
                send, service=f"{chr(97 + other % 26)}{chr(97 + other % 13)}-service", consumer_group="g", **order
            )


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[MadeTrace], None]], Path]:
    """Writes a report of a trace, once."""
    known: dict[Any, Path] = {}

    def report(fill: Callable[[MadeTrace], None]) -> Path:
        if fill not in known:
            known[fill] = written(tmp_path_factory.mktemp("report"), fill)
        return known[fill]

    return report


class Opened:
    """A page, and everything that went wrong in it."""

    def __init__(self, chromium: Browser, path: Path, **options: Any) -> None:
        self.troubles: list[str] = []
        self.page = chromium.new_page(**options)
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda said: self.troubles.append(f"{said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("dialog", self._asked)
        self.page.on("request", lambda asked: self._fetched(asked.url, path.as_uri()))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("h1")

    def _asked(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _fetched(self, url: str, own: str) -> None:
        if url != own:
            self.troubles.append(f"request: {url}")

    def go(self, way: str) -> Page:
        """Another page of the report, when it is drawn."""
        self.page.evaluate("way => { location.hash = way }", f"#/{way}")
        self.page.wait_for_selector(f"header a[aria-current=page][href='#/{way.partition('/')[0]}']")
        self.page.wait_for_selector(".reading", state="detached")
        if way in {"graph", "topology"}:
            self.page.wait_for_selector(".drawing .react-flow__node, .nothing")
        return self.page


@pytest.fixture
def opened(chromium: Browser, reports: Callable[[Any], Path]) -> Iterator[Callable[..., Opened]]:
    """Opens a report; nothing may have gone wrong when the test has ended."""
    pages: list[Opened] = []

    def open_(fill: Callable[[MadeTrace], None] = shop, **options: Any) -> Opened:
        pages.append(Opened(chromium, reports(fill), **options))
        return pages[-1]

    yield open_
    for each in pages:
        each.page.close()
        assert each.troubles == []


def test_every_page_can_be_reached_by_its_link(opened: Callable[..., Opened]) -> None:
    page = opened().page
    titles = page.locator("nav a").all_inner_texts()
    for title in titles:
        page.get_by_role("link", name=title, exact=True).first.click()
        expect(page.locator("h1")).to_have_text(title)
        expect(page).to_have_title(re.compile(f"^{re.escape(title)}"))
    assert len(titles) == 7
    assert page.get_by_role("navigation", name="Pages").locator("[aria-current=page]").inner_text() == titles[-1]


def test_event_types_are_searched_filtered_and_sorted(opened: Callable[..., Opened]) -> None:
    page = opened().go("events")
    names = page.locator("tbody tr td:first-child")
    expect(names).to_have_text(["audit", "order.placed", "payment.requested"], use_inner_text=True)
    page.get_by_role("button", name="Received").or_(page.get_by_role("button", name="Event type")).first.click()
    assert page.locator("th[aria-sort=descending]").count() == 1
    expect(names).to_have_text(["payment.requested", "order.placed", "audit"], use_inner_text=True)
    page.get_by_label("Search").fill("ORDER")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Search").fill("")
    page.get_by_label("System").select_option("kafka")
    expect(names).to_have_text(["order.placed"], use_inner_text=True)
    page.get_by_label("Search").fill("nothing such")
    page.wait_for_selector("text=No event type is like that")


def test_an_event_type_shows_fields_presence_examples_and_versions(opened: Callable[..., Opened]) -> None:
    page = opened().go("events")
    page.get_by_role("link", name="order.placed").click()
    expect(page.locator("h1")).to_have_text("order.placed", use_inner_text=True)
    fields = page.locator("table.tree tbody tr")
    paths = fields.locator("th").all_inner_texts()
    assert any("currency" in each for each in paths)
    currency = fields.filter(has_text="currency").first
    assert currency.get_by_role("img").get_attribute("aria-label") == "present in 15 of 30"
    expect(currency.locator("td").last).to_have_text('"EUR"', use_inner_text=True)
    twist = page.get_by_role("button", name="Fields of lines", exact=True)
    twist.click()
    assert fields.count() < len(paths)
    assert twist.get_attribute("aria-expanded") == "false"
    versions = page.locator("table.versions")
    expect(versions.locator("thead th")).to_have_count(3)
    assert "new" in versions.locator("tbody tr").filter(has_text="currency").inner_text()
    assert page.locator(".timeline svg").count() >= 2


def test_the_graph_is_searched_filtered_and_asked(opened: Callable[..., Opened]) -> None:
    page = opened().go("graph")
    boxes = page.locator(".react-flow__node")
    expect(boxes).to_have_count(5)
    assert page.locator(".arrow.many .react-flow__edge-path").count() == 1  # three of thirty failed
    page.get_by_label("Search").fill("pay")
    expect(page.locator(".box.found")).to_have_count(2)
    page.get_by_label("Search").fill("")
    boxes.filter(has_text="billing").click()
    page.wait_for_selector("h2:has-text('billing')")
    expect(page.locator("section table").last.locator("tbody tr")).to_have_count(2)
    expect(page.locator(".box.dim")).to_have_count(2)
    page.locator(".react-flow__pane").click(position={"x": 5, "y": 5})
    expect(page.locator(".box.dim")).to_have_count(0)
    page.get_by_label("in-process buses").check()
    expect(page.locator(".react-flow__node")).to_have_count(6)
    for label, value, left in (
        ("Service", "payments", 3),
        ("Channel", "orders", 3),
        ("Event type", "payment.requested (payments)", 3),
    ):
        page.get_by_label(label, exact=True).select_option(label=value)
        expect(page.locator(".react-flow__node")).to_have_count(left)
        page.get_by_label(label, exact=True).select_option("")
    page.get_by_label("Show").select_option("services")
    expect(page.locator(".box-over", has_text="kafka topic")).to_have_count(0)
    page.locator(".as-table summary").click()
    assert "order.placed" in page.locator(".as-table table").inner_text()


def test_a_hundred_boxes_are_drawn_apart_and_can_be_zoomed(opened: Callable[..., Opened]) -> None:
    page = opened(hundred).go("graph")
    expect(page.locator(".react-flow__node")).to_have_count(100)
    places = page.evaluate("""() => [...document.querySelectorAll('.react-flow__node')].map(each => {
        const {x, y, width, height} = each.getBoundingClientRect();
        return [x, y, width, height];
    })""")
    for place, (x, y, width, height) in enumerate(places):
        for left, top, across, down in places[place + 1 :]:
            assert (
                x + width <= left + 0.5 or left + across <= x + 0.5 or y + height <= top + 0.5 or top + down <= y + 0.5
            )
    shown = page.locator(".react-flow__viewport")
    before = shown.get_attribute("style") or ""
    page.get_by_role("button", name="Zoom In").click()
    expect(shown).not_to_have_attribute("style", before)
    page.get_by_label("Search").fill("cedarbark")
    expect(page.locator(".box.found")).to_have_count(2)
    expect(page.locator(".box.found").first).to_be_in_viewport()


def test_a_conversation_is_drawn_and_told(opened: Callable[..., Opened]) -> None:
    page = opened().go("conversations")
    page.wait_for_selector(".panel svg")
    drawn = page.locator(".panel svg").text_content() or ""
    assert "order.placed" in drawn
    assert "payment.requested" in drawn
    assert page.get_by_label("Conversation", exact=True).locator("option").count() == 2
    page.get_by_label("Conversation", exact=True).select_option("1")
    expect(page.locator(".panel svg")).to_contain_text("ValueError")
    page.locator(".as-table summary").click()
    assert "billing" in page.locator(".as-table table").inner_text()


def test_the_keyboard_is_enough(opened: Callable[..., Opened]) -> None:
    report = opened()
    page = report.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    report.go("graph")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('react-flow__node')"):
            break
    assert page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")
    page.wait_for_selector(".box.dim")
    page.keyboard.press("Escape")
    expect(page.locator(".box.dim")).to_have_count(0)
    page.get_by_role("link", name="Timelines").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Timelines", use_inner_text=True)
    assert page.evaluate("document.activeElement.id") == "main"


def test_light_and_dark_differ_and_can_be_chosen(opened: Callable[..., Opened]) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = opened(color_scheme="light").page
    dark = opened(color_scheme="dark").page
    colours = light.evaluate(ground), dark.evaluate(ground)
    assert colours[0] != colours[1]
    assert light.screenshot() != dark.screenshot()
    dark.get_by_label("Colours").select_option("light")
    assert dark.evaluate(ground) == colours[0]


def test_pages_are_printed_without_what_paper_can_not_do(opened: Callable[..., Opened]) -> None:
    page = opened(color_scheme="dark").go("graph")
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("nav").is_visible()
    assert not page.locator(".drawing").is_visible()
    assert page.locator("svg.still").is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF-")


def test_everything_is_on_paper(opened: Callable[..., Opened]) -> None:
    report = opened()
    page = report.page
    page.get_by_role("link", name="Everything, for paper").click()
    expect(page.locator("main h1").last).to_have_text("Resilience")
    page.wait_for_selector("svg.still >> nth=1", state="attached")
    heads = page.locator("main h1").all_inner_texts()
    assert {"Overview", "Flow graph", "Event types", "order.placed", "Timelines", "Conversations", "Topology"} <= set(
        heads
    )
    assert page.locator("table.versions").count() >= 1
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    assert page.pdf().count(b"/Type /Page\n") > 8


def test_a_long_list_is_printed_whole(opened: Callable[..., Opened]) -> None:
    page = opened(hundred).go("timelines")
    shown = page.locator(".multiple")
    before = shown.count()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert shown.count() > before
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(shown).to_have_count(before)


def test_hostile_names_are_shown_and_nothing_runs(opened: Callable[..., Opened]) -> None:
    report = opened(hostile_trace)
    page = report.page
    kept = page.evaluate(
        "document.querySelectorAll('script, style, link, iframe, object, embed, img, base, form[action]').length"
    )
    events = page.evaluate("JSON.parse(document.getElementById('data').textContent).events.length")
    for way in (*PAGES, *(f"events/{number}" for number in range(events))):
        report.go(way)
        page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
        page.wait_for_timeout(30)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), way
        text = page.locator("main").inner_text()
        assert "\u202e" not in text
        assert "\x1b" not in text
    shown = report.go("events").locator("main").inner_text()
    assert "</code><script>alert(1)</script>" in shown
    assert "\\u202egnp.exe" in shown
    assert (
        page.evaluate(
            "document.querySelectorAll('#page script, #page link, #page iframe, #page object, #page embed, #page img').length"
        )
        == 0
    )
    assert page.evaluate("document.querySelectorAll('body > script').length") == 3
    assert kept == 5  # data, contracts, program, sheet, and the charts' own sheet
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_policy_lets_nothing_in(opened: Callable[..., Opened]) -> None:
    report = opened()
    assert (
        report.page.evaluate(
            """() => { try { document.body.innerHTML = '<b>x</b>'; return 'set'; } catch (error) { return error.name; } }"""
        )
        == "TypeError"
    )
    assert (
        report.page.evaluate("fetch('https://example.invalid/').then(() => 'fetched', error => error.name)")
        == "TypeError"
    )
    assert any("Content Security Policy" in each for each in report.troubles)
    report.troubles.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_from_reading(opened: Callable[..., Opened], scheme: str) -> None:
    if not AXE.is_file():
        unavailable("axe-core is missing: `python -m integration.node_packages`")
    report = opened(color_scheme=scheme)
    report.page.evaluate(AXE.read_text("utf-8"))
    for way in PAGES:
        report.go(way)
        report.page.wait_for_timeout(50)
        # What is dark differs in its colours only.
        rules = "{runOnly: ['color-contrast']}" if scheme == "dark" else "{resultTypes: ['violations']}"
        found = report.page.evaluate(f"axe.run(document, {rules})")
        serious = [
            (each["id"], each["nodes"][0]["html"][:200])
            for each in found["violations"]
            if each["impact"] in {"serious", "critical"}
        ]
        assert serious == [], way


def test_a_narrow_page_is_no_wider_than_its_window(opened: Callable[..., Opened]) -> None:
    report = opened(viewport={"width": 400, "height": 800})
    for way in PAGES:
        report.go(way)
        assert report.page.evaluate("document.documentElement.scrollWidth") <= 400, way


@pytest.mark.soak
def test_five_hundred_event_types_fit_into_ten_megabytes_and_can_be_looked_at(
    opened: Callable[..., Opened], reports: Callable[[Any], Path]
) -> None:
    assert reports(five_hundred).stat().st_size < 10_000_000
    report = opened(five_hundred)
    for way in PAGES:
        report.go(way)
    expect(report.go("events").locator("tbody tr")).to_have_count(500)
    expect(report.go("graph").locator("p.warning")).to_contain_text("busiest of")


def test_what_is_kept_is_what_would_be_built(tmp_path: Path) -> None:
    if not installed(REPORT_PAGE):
        unavailable("what it is built with is missing: `python -m integration.node_packages`")
    try:
        build(tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.fail(f"it can't be built: {error}")
    for path in sorted(ASSETS.iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), (
            f"{path.name}: `python -m integration.report_page`"
        )
