package io.fusespill.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.journal.JournalReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.interactions.WheelInput.ScrollOrigin;

/// The page as a reader meets it, in a real browser.
class ReportInBrowserTest {

  private static final String VIEW = "window.fusespillTimeline.view";

  @TempDir private static Path folder;

  private static Path page;
  private static Path plain;
  private static Browser browser;

  @BeforeAll
  static void makePages() {
    browser = Browser.open(folder.resolve("profile"));
    Path baseline = Runs.simulate(folder.resolve("baseline"), PolicyKind.VLLM_0_2_7, 120);
    Path run = Runs.simulate(folder.resolve("run"), PolicyKind.FUSESPILL, 120);
    page = folder.resolve("report.html");
    plain = folder.resolve("plain.html");
    Report.write(sources(baseline, run), 3, page, events -> {});
    Report.write(sources(baseline), 3, plain, events -> {});
  }

  private static List<Report.Source> sources(Path... runs) {
    return Stream.of(runs)
        .map(run ->
            new Report.Source(
                run.getFileName().toString(),
                () -> JournalReader.open(run),
                new ObjectMapper().createObjectNode()))
        .toList();
  }

  @AfterAll
  static void closeBrowser() {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void open() {
    browser.requests();
    browser.show(page);
  }

  private static WebElement canvas() {
    return browser.element("timeline-canvas");
  }

  private static double length() {
    return browser.number("%s.until - %s.from".formatted(VIEW, VIEW));
  }

  /// Moves the pointer to a point of the canvas, from its upper left corner.
  private static Actions at(double x, double y) {
    browser.run("arguments[0].scrollIntoView({behavior: 'instant', block: 'start'})", canvas());
    double width = browser.number("document.getElementById('timeline-canvas').clientWidth");
    double height = browser.number("document.getElementById('timeline-canvas').clientHeight");
    return new Actions(browser.driver())
        .moveToElement(canvas(), (int) (x - width / 2), (int) (y - height / 2));
  }

  /// Middle of a lane, from the canvas's upper edge.
  private static double lane(String kind) {
    return browser.number(
        "(() => { const lane = window.fusespillTimeline.lanes.find((each) => each.kind === '%s'); return lane.y + lane.height / 2; })()"
            .formatted(kind));
  }

  @Test
  void page_complainsOfNothingAndAsksNobody() {
    for (Path each : List.of(page, plain)) {
      browser.show(each);
      browser.settle();
      assertThat(browser.complaints()).isEmpty();
      assertThat(browser.requests())
          .isNotEmpty()
          .allMatch(url -> url.equals(each.toUri().toString()) || url.startsWith("data:"));
      assertThat(browser.number("performance.getEntriesByType('resource').length")).isZero();
    }
  }

  @Test
  void page_mayNotFetchAnything() {
    Object blocked =
        browser
            .driver()
            .executeAsyncScript(
                """
                const done = arguments[0];
                document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
                fetch("http://127.0.0.1:9/").catch(() => {});
                """);
    assertThat(blocked).isEqualTo("connect-src");
    assertThat(browser.complaints()).hasSizeGreaterThan(0);
  }

  @Test
  void buttonsAndWheel_zoomAndMove() {
    String whole = browser.pixels();
    double all = length();

    browser.element("timeline-in").click();
    assertThat(length()).isEqualTo(all / 2);
    assertThat(browser.pixels()).isNotEqualTo(whole);

    double from = browser.number(VIEW + ".from");
    browser.element("timeline-right").click();
    assertThat(browser.number(VIEW + ".from")).isGreaterThan(from);

    browser.element("timeline-all").click();
    assertThat(browser.pixels()).isEqualTo(whole);

    at(400, lane("steps")).click().perform();
    new Actions(browser.driver())
        .scrollFromOrigin(ScrollOrigin.fromElement(canvas()), 0, -300)
        .perform();
    browser.await("return %s.until - %s.from < %s".formatted(VIEW, VIEW, all * 0.9));
    assertThat(browser.pixels()).isNotEqualTo(whole);
    assertThat(browser.element("timeline-window").getText()).contains(" to ");
  }

  @Test
  void wheel_onAPageThatIsOnlyScrolled_doesNotZoom() {
    double all = length();
    browser.run("arguments[0].scrollIntoView({behavior: 'instant', block: 'start'})", canvas());
    new Actions(browser.driver())
        .scrollFromOrigin(ScrollOrigin.fromElement(canvas()), 0, 200)
        .perform();
    browser.await("return document.getElementById('timeline-hint').classList.contains('shown')");
    assertThat(length()).isEqualTo(all);
  }

  @Test
  void dragging_movesAndOnTheAxisZooms() {
    browser.element("timeline-in").click();
    double from = browser.number(VIEW + ".from");
    at(600, lane("steps")).clickAndHold().moveByOffset(-120, 0).release().perform();
    assertThat(browser.number(VIEW + ".from")).isGreaterThan(from);

    double before = length();
    at(400, lane("ruler")).clickAndHold().moveByOffset(200, 0).release().perform();
    assertThat(length()).isLessThan(before / 2);
  }

  @Test
  void hovering_tellsOfStepsBlocksAndSequences() {
    WebElement tip = browser.element("timeline-tip");
    assertThat(tip.isDisplayed()).isFalse();

    browser.run("window.fusespillTimeline.show(20e6, 20.5e6)");
    at(500, lane("steps")).perform();
    browser.await("return document.getElementById('timeline-tip').classList.contains('shown')");
    assertThat(tip.getText()).startsWith("step ").contains("took", "rows", "free blocks");

    at(500, lane("kv")).perform();
    browser.settle();
    assertThat(tip.getText()).contains("of 400 blocks in use");

    at(500, lane("lives") - 150).perform();
    browser.settle();
    assertThat(tip.getText()).startsWith("sequence ").contains("now", "TTFT");

    at(20, lane("steps")).perform();
    browser.settle();
    assertThat(tip.isDisplayed()).isFalse();
  }

  @Test
  void clickOnASpill_leadsToItsExplanationAndBack() {
    double time = browser.number("window.fusespillTimeline.choices[7].at");
    long position = (long) browser.number("window.fusespillTimeline.choices[7].position");
    browser.run("window.fusespillTimeline.show(arguments[0] - 1e5, arguments[0] + 1e5)", time);
    browser.settle();
    double x =
        browser.number(
            "window.fusespillTimeline.marks.find((mark) => mark.position === %d).x"
                .formatted(position));
    at(x, lane("marks")).click().perform();

    WebElement explained = browser.driver().findElement(By.cssSelector("article.lit"));
    assertThat(explained.isDisplayed()).isTrue();
    assertThat(explained.getText())
        .contains("recompute", "ms lost per free s", "believed", "came", "%,d".formatted(position));
    assertThat(explained.findElements(By.cssSelector("tr.chosen"))).hasSize(1);
    assertThat(
            browser.run(
                "return document.activeElement.closest('article') === arguments[0]", explained))
        .isEqualTo(true);

    explained.findElements(By.cssSelector("button")).getLast().click();
    browser.await("return document.activeElement.id === 'timeline-canvas'");
    assertThat(time).isBetween(browser.number(VIEW + ".from"), browser.number(VIEW + ".until"));
    assertThat(browser.element("timeline-picked").getText()).startsWith("sequence ");
  }

  @Test
  void explainedDecision_isShownInTheTimelineOfItsRun() {
    WebElement told =
        browser.driver().findElement(By.cssSelector("article.choice button[data-position]"));
    String position = told.getDomAttribute("data-position");
    told.click();
    browser.await("return document.activeElement.id === 'timeline-canvas'");
    double at =
        browser.number(
            "window.fusespillTimeline.choices.find((each) => each.position === %s).at"
                .formatted(position));
    assertThat(at).isBetween(browser.number(VIEW + ".from"), browser.number(VIEW + ".until"));
    assertThat(length()).isLessThanOrEqualTo(8e6);
  }

  @Test
  void keys_moveZoomAndGoFromDecisionToDecision() {
    double all = length();
    canvas().sendKeys("+");
    assertThat(length()).isEqualTo(all / 2);
    double from = browser.number(VIEW + ".from");
    canvas().sendKeys(Keys.ARROW_RIGHT);
    assertThat(browser.number(VIEW + ".from")).isGreaterThan(from);
    canvas().sendKeys("0");
    assertThat(length()).isEqualTo(all);
    canvas().sendKeys("n", "n", Keys.ENTER);
    assertThat(browser.driver().findElements(By.cssSelector("article.lit"))).hasSize(1);
  }

  @Test
  void runs_areChosenInTheTimeline() {
    assertThat(browser.run("return window.fusespillTimeline.run")).isEqualTo("run");
    String first = browser.pixels();
    browser.run(
        "const list = arguments[0]; list.value = '0'; list.dispatchEvent(new Event('change'))",
        browser.element("timeline-run"));
    browser.await("return window.fusespillTimeline.run === 'baseline'");
    assertThat(browser.pixels()).isNotEqualTo(first);
    assertThat(browser.element("timeline-next").isEnabled()).isFalse();
  }

  @Test
  void darkTheme_changesPageTimelineAndFigures() {
    String light = browser.pixels();
    Object background = browser.run("return getComputedStyle(document.body).backgroundColor");
    browser.run("document.querySelector('input[value=dark]').click()");
    browser.await("return document.documentElement.classList.contains('dark-figures')");

    assertThat(browser.run("return getComputedStyle(document.body).backgroundColor"))
        .isNotEqualTo(background);
    assertThat(browser.pixels()).isNotEqualTo(light);
    assertThat(browser.number("document.querySelectorAll('.on-dark svg').length"))
        .isEqualTo(browser.number("document.querySelectorAll('.on-light svg').length"))
        .isPositive();
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void onPaper_itIsLightWhateverTheScreen() {
    var dark = List.of(Map.of("name", "prefers-color-scheme", "value", "dark"));
    String background = "return getComputedStyle(document.body).backgroundColor";
    browser
        .driver()
        .executeCdpCommand("Emulation.setEmulatedMedia", Map.of("media", "", "features", dark));
    assertThat(browser.run(background)).isNotEqualTo("rgb(255, 255, 255)");
    browser
        .driver()
        .executeCdpCommand(
            "Emulation.setEmulatedMedia", Map.of("media", "print", "features", dark));
    assertThat(browser.run(background)).isEqualTo("rgb(255, 255, 255)");
    browser
        .driver()
        .executeCdpCommand(
            "Emulation.setEmulatedMedia", Map.of("media", "", "features", List.of()));
  }

  @Test
  void onPaper_noTableIsCutAndNoHeadingStandsAlone() {
    browser
        .driver()
        .executeCdpCommand(
            "Emulation.setDeviceMetricsOverride",
            Map.of("width", 720, "height", 1000, "deviceScaleFactor", 1, "mobile", false));
    browser.driver().executeCdpCommand("Emulation.setEmulatedMedia", Map.of("media", "print"));
    browser.settle();

    Object cut =
        browser.run(
            "return [...document.querySelectorAll('.scroll')].filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.innerText)");
    Object alone =
        browser.run(
            "return [...document.querySelectorAll('h2, h3, .lead, summary')].filter((each) => getComputedStyle(each).breakAfter !== 'avoid').map((each) => each.innerText)");
    browser.driver().executeCdpCommand("Emulation.setEmulatedMedia", Map.of("media", ""));
    browser.driver().executeCdpCommand("Emulation.clearDeviceMetricsOverride", Map.of());

    assertThat(cut).isEqualTo(List.of());
    assertThat(alone).isEqualTo(List.of());
  }

  @Test
  void commonWidths_needNoSidewaysScrolling() {
    for (int width : List.of(1280, 1920)) {
      browser.driver().manage().window().setSize(new Dimension(width, 900));
      browser.settle();
      assertThat(browser.number("document.documentElement.scrollWidth"))
          .isLessThanOrEqualTo(browser.number("innerWidth"));
    }
    browser.driver().manage().window().setSize(new Dimension(1280, 900));
  }

  @Test
  void windowNarrowerThanTheTimelinesNames_breaksNothing() {
    browser.complaints();
    browser
        .driver()
        .executeCdpCommand(
            "Emulation.setDeviceMetricsOverride",
            Map.of("width", 180, "height", 900, "deviceScaleFactor", 1, "mobile", false));
    browser.show(page);
    browser.settle();
    assertThat(browser.number("innerWidth")).isEqualTo(180);
    assertThat(browser.complaints()).isEmpty();
    browser.driver().executeCdpCommand("Emulation.clearDeviceMetricsOverride", Map.of());
  }

  @Test
  void phoneWidth_leavesTextLegibleAndApart() {
    browser
        .driver()
        .executeCdpCommand(
            "Emulation.setDeviceMetricsOverride",
            Map.of("width", 400, "height", 900, "deviceScaleFactor", 1, "mobile", false));
    browser.show(page);
    browser.settle();
    assertThat(
            browser.number(
                "document.querySelector('figure.wide .on-light svg').getBoundingClientRect().width"))
        .as("three panels of 504 points scroll and do not shrink")
        .isGreaterThan(600);
    assertThat(browser.number("document.documentElement.scrollWidth")).isEqualTo(400);
    assertThat(
            browser.number(
                "(() => { const count = document.querySelector('nav .count'), text = document.createRange(); text.selectNodeContents(count.previousSibling); return count.getBoundingClientRect().left - text.getBoundingClientRect().right; })()"))
        .as("room between a section's name and its count")
        .isGreaterThan(2);
    assertThat(
            browser.number(
                "parseFloat(getComputedStyle(document.querySelector('nav fieldset label')).paddingLeft)"))
        .isPositive();
    browser.driver().executeCdpCommand("Emulation.clearDeviceMetricsOverride", Map.of());
  }
}
