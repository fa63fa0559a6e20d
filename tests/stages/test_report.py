"""The page opens in a real browser, by itself, and does what it offers; needs Debian's chromium and chromium-driver."""
import re
import shutil

import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from stages import report

needs_chromium = pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")),
                                    reason="chromium and chromium-driver are not installed")


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, without a network."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900",
                 "--host-resolver-rules=MAP * ~NOTFOUND"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, ran):
    """The page of the tiny project, open."""
    browser.get((ran.root / "reports/index.html").as_uri())
    return browser


def shown(page) -> list:
    return [card for card in page.find_elements(By.CLASS_NAME, "card") if card.is_displayed()]


@needs_chromium
def test_nothing_goes_wrong_and_every_picture_loads(page):
    assert [entry for entry in page.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    loaded = page.execute_script("return [...document.images].map(image => image.complete && image.naturalWidth > 0)")
    assert loaded
    assert all(loaded)
    assert len(page.find_elements(By.CSS_SELECTOR, "figure svg")) > 10


@needs_chromium
def test_the_filter_filters_and_counts(page):
    everything = len(shown(page))
    for box in ("true", "given", "attribute"):
        value = shown(page)[0].get_attribute(f"data-{box}")
        Select(page.find_element(By.ID, box)).select_by_visible_text(value)
        assert {card.get_attribute(f"data-{box}") for card in shown(page)} == {value}
        assert page.find_element(By.ID, "shown").text == f"{len(shown(page))} of {everything} shown"
        Select(page.find_element(By.ID, box)).select_by_index(0)
    assert len(shown(page)) == everything


@needs_chromium
def test_the_order_orders(page):
    def values(key):
        return [float(card.get_attribute(f"data-{key}")) for card in shown(page)]

    assert values("confidence") == sorted(values("confidence"), reverse=True)
    Select(page.find_element(By.ID, "order")).select_by_value("years")
    assert values("years") == sorted(values("years"))
    Select(page.find_element(By.ID, "order")).select_by_value("confidence")


@needs_chromium
def test_the_keyboard_reaches_the_filter_and_the_cards(page):
    box = page.find_element(By.ID, "attribute")
    box.send_keys(Keys.ARROW_DOWN)
    assert len({card.get_attribute("data-attribute") for card in shown(page)}) <= 1
    box.send_keys(Keys.HOME)
    page.find_element(By.ID, "order").send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("class") == "card"


def test_the_page_asks_for_no_other_file(ran):
    text = (ran.root / "reports/index.html").read_text()
    addresses = re.findall(r"(?:src|href)=\"(?!data:|#)([^\"]*)\"", text)
    assert addresses == []
    assert "url(http" not in text
    assert "@import" not in text


def test_the_page_says_what_the_metrics_say_and_shows_every_mistake(ran):
    text = (ran.root / "reports/index.html").read_text()
    labels = pd.read_csv(ran.root / "reports/plots/labels.csv")
    wrong = labels[labels.class_true != labels.class_predicted]
    assert f"{len(labels)} photos of {labels.person.nunique()} people" in text
    assert text.count('<li class="card"') == len(wrong)
    assert all(photo in text for photo in wrong.photo)


@needs_chromium
def test_a_table_is_sorted_by_a_click_on_its_head_and_by_the_keyboard(browser, ran, tmp_path, monkeypatch):
    rows = [{"person": person, "score": score} for person, score in (("bea", 0.5), ("cid", 0.09), ("ann", 0.1))]
    project = ran.copy(tmp_path / "own")
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(report, "suspected", lambda p, combined: rows)  # of the tiny project no label is suspected
    report.main()
    browser.get((project.root / "reports/index.html").as_uri())
    person, score = browser.find_elements(By.CSS_SELECTOR, ".sortable th button")

    def people():
        return [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, ".sortable tbody td:first-child")]

    assert people() == ["bea", "cid", "ann"]
    score.click()
    assert people() == ["cid", "ann", "bea"]  # as numbers: .09 before .1
    score.send_keys(Keys.ENTER)
    assert people() == ["bea", "ann", "cid"]
    person.click()
    assert people() == ["ann", "bea", "cid"]


def test_git_never_gets_the_page_for_it_shows_faces(ran):
    assert ran.sh("git", "check-ignore", "reports/index.html").returncode == 0
