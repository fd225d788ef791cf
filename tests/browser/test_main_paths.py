"""What people do, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.kinds.faulty import Note
from webapi.queue import submit


def test_a_stranger_registers_confirms_and_signs_in(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/register")
    page.fill("#name", "Grace")
    page.fill("#email", "grace@example.com")
    page.fill("#password", "a long enough one")
    page.click("main button")
    expect(page.locator("h1")).to_have_text("Look into your inbox")
    subject = page.get_by_role("link", name="Welcome to webapi")
    while not subject.count():
        page.goto(f"{site.url}/inbox")
    subject.click()
    frame = page.frame_locator("iframe.mail")
    link = frame.get_by_role("link", name="Confirm my address").get_attribute("href")
    assert link is not None
    assert link.startswith(f"{site.url}/verify/")
    page.goto(link)
    page.fill("#email", "grace@example.com")
    page.fill("#password", "a long enough one")
    page.click("main button")
    expect(page.get_by_role("heading", name="Submit your first job")).to_be_visible()
    expect(page.get_by_text("Confirm your address")).to_have_count(0)


def test_a_form_shows_its_faults_keeps_the_values_and_then_sends_the_mail(ada: Page, site: Site) -> None:
    ada.goto(f"{site.url}/new/email.send")
    ada.fill("#field-to", "you@example.com\nnot an address")
    ada.fill("#field-subject", "From the browser")
    ada.fill("#field-text", "Hello")
    ada.click(".job-form > button")
    expect(ada.locator("#help-to .fault")).to_contain_text("not one email address")
    expect(ada.locator("#field-subject")).to_have_value("From the browser")
    ada.fill("#field-to", "you@example.com")
    ada.click(".job-form > button")
    expect(ada.locator("h1 .succeeded")).to_be_visible()
    expect(ada.get_by_role("cell", name="you@example.com")).to_be_visible()


def test_a_file_is_uploaded_and_profiled(ada: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("city,sales\nBern,12\nBasel,9\n")
    ada.goto(f"{site.url}/new/data.process")
    ada.set_input_files("#field-file", tmp_path / "sales.csv")
    ada.click(".job-form > button")
    expect(ada.locator("h1 .succeeded")).to_be_visible()
    expect(ada.locator(".figures li").first).to_have_text("2 rows")


def test_the_job_page_follows_a_running_job_by_itself(ada: Page, site: Site, tmp_path: Path) -> None:
    note = Note(path=str(tmp_path / "note"))
    with site.ada.app.app_context():
        job_id = submit("test.slow", note, owner_id=site.ada.id).id
    ada.goto(f"{site.url}/jobs/{job_id}")
    expect(ada.locator("progress[value='50']")).to_be_visible()
    Path(note.path + ".go").touch()
    expect(ada.locator("h1 .succeeded")).to_be_visible()


def test_a_waiting_job_is_cancelled_by_its_button(ada: Page, site: Site) -> None:
    ada.goto(f"{site.url}/new/report.build")
    ada.click("details summary")
    ada.fill("#delay", "3600")
    ada.click(".job-form > button")
    expect(ada.locator("h1 .scheduled")).to_be_visible()
    ada.get_by_role("button", name="Cancel").click()
    expect(ada.locator("h1 .cancelled")).to_be_visible()


def test_a_key_is_shown_once_and_works_until_it_is_revoked(ada: Page, site: Site) -> None:
    ada.goto(f"{site.url}/keys")
    ada.fill("#name", "a program")
    ada.get_by_role("button", name="Make a key").click()
    key = ada.locator("#new-key").inner_text()
    headers = {"Authorization": f"Bearer {key}"}
    assert ada.request.get(f"{site.url}/api/v1/me", headers=headers).status == 200
    ada.goto(f"{site.url}/keys")
    expect(ada.locator("#new-key")).to_have_count(0)
    ada.get_by_role("button", name="Revoke a program").click()
    assert ada.request.get(f"{site.url}/api/v1/me", headers=headers).status == 401


def test_the_pages_work_without_javascript(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/login")
    page.fill("#email", site.ada.email)
    page.fill("#password", site.ada.password)
    page.click("main button")
    page.goto(f"{site.url}/new/data.process")
    page.fill("#field-data", "[1, 2, 3]")
    page.click(".job-form > button")
    expect(page.locator("h1 .succeeded")).to_be_visible(timeout=15_000)
    context.close()


def test_no_page_is_wider_than_a_telephone(ada: Page, site: Site) -> None:
    ada.set_viewport_size({"width": 390, "height": 800})
    for path in ("/", "/new", "/new/email.send", "/new/data.process", "/jobs", "/keys", "/inbox"):
        ada.goto(site.url + path)
        width = ada.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is {width} px wide"


def test_a_mailing_is_checked_confirmed_and_watched_to_its_end(ada: Page, site: Site, tmp_path: Path) -> None:
    ada.goto(f"{site.url}/templates/new")
    ada.fill("#field-name", "hello")
    ada.fill("#field-subject", "Hello {{first_name}}")
    ada.fill("#field-html", "<h1>Hello {{first_name}}</h1>")
    expect(ada.locator("#facts .subject")).to_contain_text("Hello [first_name]")
    ada.fill("#value-first_name", "Grace")
    expect(ada.frame_locator("iframe.mail").locator("h1")).to_have_text("Hello Grace")
    ada.click(".source > button")
    expect(ada.locator("hgroup")).to_contain_text("Version 1")
    rows = [f"person{number}@example.com,Person {number}" for number in range(30)]
    lines = ["email,first_name", *rows, "nobody,Nobody", "uncertain@simulator.webapi,U"]
    (tmp_path / "people.csv").write_text("\n".join(lines))
    ada.goto(f"{site.url}/mailings/new")
    ada.select_option("#field-template", "hello")
    ada.set_input_files("#field-recipients", tmp_path / "people.csv")
    ada.click(".job-form > button")
    expect(ada.get_by_role("cell", name="nobody: this is not one email address")).to_be_visible()
    expect(ada.frame_locator("iframe.mail >> nth=0").locator("h1")).to_have_text("Hello Person 0")
    ada.check("[name=leave_out_bad]")
    ada.click("text=Send 31 mails")
    expect(ada.locator("h1 .state")).to_have_text("done", timeout=30_000)  # one part is tried again after a pause
    expect(ada.locator(".figures .done")).to_contain_text("30")
    ada.click("text=It arrived")
    expect(ada.locator(".figures .done")).to_contain_text("31")


def test_a_report_is_written_looked_at_and_built(ada: Page, site: Site) -> None:
    ada.goto(f"{site.url}/reports")
    ada.get_by_role("button", name="New report").click()
    ada.fill("#name", "by-kind")
    ada.fill("#sql", "SELECT kind, count(*) AS jobs FROM jobs WHERE created_at >= $period_from GROUP BY kind")
    ada.locator("[name=parameter-name]").first.fill("period")
    ada.locator("[name=parameter-type]").first.select_option("period")
    ada.locator("[name=parameter-default]").first.fill("last_7_days")
    ada.get_by_role("button", name="Look at the rows").click()
    expect(ada.locator("#look th").first).to_contain_text("kind")
    ada.get_by_role("button", name="Save").click()
    expect(ada.locator("#field-value-period")).to_have_value("last_7_days")
    ada.locator("#field-format").select_option("xlsx")
    ada.get_by_role("button", name="Build", exact=True).click()
    expect(ada.locator("h1 .succeeded")).to_be_visible(timeout=30_000)
    expect(ada.get_by_role("link", name="by-kind.xlsx")).to_be_visible()
    expect(ada.locator("dl.facts")).to_contain_text("by-kind")


def test_somebody_ends_their_other_sessions_and_changes_their_password(ada: Page, site: Site, browser: Browser) -> None:
    other = browser.new_context()
    elsewhere = other.new_page()
    elsewhere.goto(f"{site.url}/login")
    elsewhere.fill("#email", site.ada.email)
    elsewhere.fill("#password", site.ada.password)
    elsewhere.click("main button")
    ada.get_by_role("link", name="Account").click()
    sessions = ada.locator("section", has=ada.get_by_role("heading", name="Where you are signed in"))
    expect(sessions.get_by_role("button", name="End the session of Chrome on Linux").first).to_be_visible()
    sessions.get_by_role("button", name="End all others").click()
    expect(sessions.locator("tbody tr")).to_have_count(1)
    elsewhere.reload()
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()
    other.close()
    ada.fill("#password-current", site.ada.password)
    ada.fill("#password-password", site.ada.password)
    ada.get_by_role("button", name="Change the password").click()
    expect(ada.get_by_role("status")).to_have_text("Your password is changed. All other sessions are ended.")
    expect(ada.get_by_text("The password was changed").first).to_be_visible()


def test_a_job_page_is_told_what_happens_and_does_not_ask(ada: Page, site: Site, tmp_path: Path) -> None:
    note = Note(path=str(tmp_path / "note"))
    with site.ada.app.app_context():
        job_id = submit("test.slow", note, owner_id=site.ada.id).id
    asked: list[str] = []
    ada.on("request", lambda request: asked.append(request.url.removeprefix(site.url)))
    ada.bring_to_front()  # a page in the background closes its stream
    ada.goto(f"{site.url}/jobs/{job_id}")
    expect(ada.locator("progress[value='50']")).to_be_visible()
    expect(ada.locator("#asks-every-30-s")).to_be_attached()
    before = len(asked)
    Path(note.path + ".go").touch()
    expect(ada).to_have_title("test.slow: succeeded · webapi")
    expect(ada.locator("h1 .succeeded")).to_be_visible()
    assert [path for path in asked[before:] if path.startswith("/jobs/")] == []
    assert asked.count(f"/jobs/{job_id}/live") == 1


def test_a_job_page_for_which_there_is_no_place_asks_by_itself(ada: Page, site: Site, tmp_path: Path) -> None:
    note = Note(path=str(tmp_path / "note"))
    with site.ada.app.app_context():
        job_id = submit("test.slow", note, owner_id=site.ada.id).id
    ada.route("**/live", lambda route: route.fulfill(status=503, headers={"Retry-After": "30"}, body="All taken."))
    ada.goto(f"{site.url}/jobs/{job_id}")
    expect(ada.locator("progress[value='50']")).to_be_visible()
    Path(note.path + ".go").touch()
    expect(ada.locator("h1 .succeeded")).to_be_visible()
    expect(ada.locator("[hx-trigger]")).to_have_count(0)
    expect(ada.get_by_text("All taken.")).to_have_count(0)
