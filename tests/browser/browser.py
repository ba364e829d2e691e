"""Debian's Chromium, with a page of ours in it. Tells what the page asked the network for, and what it complained
of."""

import base64
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
except ImportError:
    webdriver = None
if webdriver is None or CHROMIUM is None or DRIVER is None:
    print("skipped: needs a browser (Debian: chromium chromium-driver python3-selenium)", file=sys.stderr)
    sys.exit(77)

PATIENCE = 900  # seconds: only ends what hangs


class Browser:
    """A window of its own, with a profile of its own."""

    def __init__(self):
        # A socket lies below, and the path of a socket must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="b-"))
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--force-color-profile=srgb", "--hide-scrollbars", f"--user-data-dir={self.folder}/p"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = Service(DRIVER, env={**os.environ, "HOME": str(self.folder), "TMPDIR": str(self.folder)})
        self.driver = webdriver.Chrome(service=service, options=options)
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)
        self.driver.get("about:blank")
        self.asked_for()  # the browser's own first page asks for much
        self.complaints()

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.folder, ignore_errors=True)

    def resize(self, width, height=900):
        """As a phone of this width, or a window."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def prefer(self, scheme):
        """light or dark, as the system would have it."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def open(self, page):
        self.driver.get(Path(page).as_uri())
        self.settle()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """As a reader sees it, where no-break spaces are spaces."""
        return self.find(selector).text.replace("\u00a0", " ")

    def press(self, key):
        ActionChains(self.driver).send_keys(key).perform()

    def draw(self, selector, strokes):
        """With the mouse. @param strokes: lists of places on the element, in pixels from its upper left corner"""
        place = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'});", place)
        middle = [size / 2 for size in (place.size["width"], place.size["height"])]
        for stroke in strokes:
            actions = ActionChains(self.driver, duration=5)
            for number, (x, y) in enumerate(stroke):
                actions.move_to_element_with_offset(place, round(x - middle[0]), round(y - middle[1]))
                if number == 0:
                    actions.click_and_hold()
            actions.release().perform()
        self.settle()

    def drop(self, path):
        """A file on the page, as a file manager would."""
        content = base64.b64encode(Path(path).read_bytes()).decode()
        self.run("""
            const bytes = Uint8Array.from(atob(arguments[0]), (character) => character.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], arguments[1], {type: "image/png"}));
            for (const type of ["dragover", "drop"]) {
              document.getElementById("paper").dispatchEvent(
                new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
            }""", content, Path(path).name)

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {PATIENCE} seconds for {what}")
            time.sleep(0.02)

    def settle(self):
        """Until the page has shown all that it was told: two pictures of the screen later."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));")

    def complaints(self):
        """What stands on the console since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def asked_for(self):
        """The addresses that were asked for since the last time."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"]

    def scrolls_sideways(self):
        return self.run("const page = document.documentElement; return page.scrollWidth > page.clientWidth;")

    def save_picture(self, path):
        """A PNG of the whole page."""
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {**size, "scale": 1}})
        Path(path).write_bytes(base64.b64decode(picture["data"]))
