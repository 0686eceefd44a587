package io.fusespill.report;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/// A headless Chromium with one page in it. Where there is none on the machine, the test is
/// skipped.
final class Browser implements AutoCloseable {

  private final ChromeDriver driver;

  private Browser(ChromeDriver driver) {
    this.driver = driver;
  }

  /// @param profile a new, empty directory
  static Browser open(Path profile) {
    Optional<Path> browser = find("chromium", "google-chrome");
    Optional<Path> driver = find("chromedriver");
    assumeTrue(
        browser.isPresent() && driver.isPresent(),
        "no chromium with chromedriver on the PATH: what the page does in a browser is not tested");
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    logs.enable(LogType.PERFORMANCE, Level.ALL);
    ChromeOptions options = new ChromeOptions();
    options.setBinary(browser.orElseThrow().toFile());
    options.setCapability("goog:loggingPrefs", logs);
    options.addArguments(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--force-prefers-reduced-motion",
        "--user-data-dir=" + profile);
    ChromeDriverService service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(driver.orElseThrow().toFile())
            .usingAnyFreePort()
            .withSilent(true)
            .build();
    Browser opened = new Browser(new ChromeDriver(service, options));
    opened.driver.manage().timeouts().scriptTimeout(Duration.ofSeconds(60));
    opened.driver.manage().window().setSize(new Dimension(1280, 900));
    return opened;
  }

  private static Optional<Path> find(String... names) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .flatMap(folder -> Stream.of(names).map(name -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  ChromeDriver driver() {
    return driver;
  }

  /// Opens a report and waits until its timeline is drawn.
  void show(Path page) {
    driver.get(page.toUri().toString());
    await("return document.getElementById('timeline-canvas').dataset.ready ? true : false");
  }

  WebElement element(String id) {
    return driver.findElement(By.id(id));
  }

  Object run(String script, Object... arguments) {
    return driver.executeScript(script, arguments);
  }

  /// Waits until a script returns true.
  void await(String script) {
    driver.executeAsyncScript(
        "const done = arguments[0], holds = () => { %s };".formatted(script)
            + "const look = () => holds() ? done() : setTimeout(look, 20); look();");
  }

  double number(String script) {
    return ((Number) run("return " + script)).doubleValue();
  }

  /// Waits until all that is to be drawn is.
  void settle() {
    driver.executeAsyncScript(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));");
  }

  /// Everything on the canvas.
  String pixels() {
    settle();
    return (String) run("return document.getElementById('timeline-canvas').toDataURL()");
  }

  /// What the page complained of since the last call.
  List<String> complaints() {
    return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
        .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
        .map(LogEntry::getMessage)
        .toList();
  }

  /// Addresses that the browser asked for since the last call.
  List<String> requests() {
    return driver.manage().logs().get(LogType.PERFORMANCE).getAll().stream()
        .map(LogEntry::getMessage)
        .filter(message -> message.contains("\"Network.requestWillBeSent\""))
        .map(
            message -> message.replaceFirst("(?s).*\"request\":\\{.*?\"url\":\"([^\"]*)\".*", "$1"))
        .toList();
  }

  @Override
  public void close() {
    driver.quit();
  }
}
