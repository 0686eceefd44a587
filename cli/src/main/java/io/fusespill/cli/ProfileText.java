package io.fusespill.cli;

import io.fusespill.replay.calibrate.Measurements;
import io.fusespill.sim.calibrate.StepFit;
import io.fusespill.sim.calibrate.TransferFit;
import io.fusespill.sim.cost.FitErrors;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.RegionErrors;
import io.fusespill.sim.cost.SubmitLatency;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// What a fitted profile says, for people.
final class ProfileText {

  /// Held-out errors beyond which a profile is said to foretell little, in per cent.
  private static final double NOTED_MEAN = 15;

  private static final double NOTED_BIAS = 5;

  private ProfileText() {}

  static void print(PrintWriter out, FittedProfile profile) {
    out.println(
        "%s: %s, blocks of %d; %s"
            .formatted(profile.name(), profile.model(), profile.blockTokens(), profile.source()));
    for (FittedPlace place : profile.places()) {
      out.println();
      out.println(
          "%s (%s): %s"
              .formatted(
                  place.place(),
                  place.hardware(),
                  place.terms().stream().map(ProfileText::term).collect(Collectors.joining(", "))));
      Table errors =
          new Table().row("held-out steps", "steps", "mean %", "p90 %", "max %", "bias %");
      for (RegionErrors region : place.regions()) {
        errors.row(cells(region.region(), region.errors()));
      }
      errors.row(cells("all", place.errors()));
      errors.print(out);
      Table ranges = new Table().row("measured", "from", "to");
      place
          .ranges()
          .forEach((feature, range) ->
              ranges.row(
                  feature.label(), "%,d".formatted(range.min()), "%,d".formatted(range.max())));
      ranges.print(out);
      if (place.remote() != null) {
        out.println(
            String.format(
                Locale.ROOT,
                "  attention elsewhere: %,.0f ns a step, %,.0f ns a row, %,.1f ns a token of KV%s",
                place.remote().handOffNanos(),
                place.remote().rowNanos(),
                place.remote().tokenNanos(),
                place.remote().overlapped() ? ", beside the device's own" : ""));
      }
    }
    if (!profile.links().isEmpty()) {
      out.println();
      Table links =
          new Table().row("link", "begins, us", "GB/s", "transfers", "mean %", "p90 %", "bias %");
      for (FittedLink link : profile.links()) {
        links.row(
            link.from() + " > " + link.to(),
            "%,.1f".formatted(link.latencyNanos() / 1e3),
            link.nanosPerByte() == 0 ? "-" : "%,.2f".formatted(1 / link.nanosPerByte()),
            "%,d".formatted(link.errors().samples()),
            "%.2f".formatted(link.errors().meanPercent()),
            "%.2f".formatted(link.errors().p90Percent()),
            signed(link.errors().biasPercent()));
      }
      links.print(out);
    }
    out.println();
    if (profile.queuedNanos() > 0) {
      out.println(
          "from a step's end to the start of one that waited in its queue: %,.1f us, in the steps' times"
              .formatted(profile.queuedNanos() / 1e3));
    }
    SubmitLatency submit = profile.submitLatency();
    out.println(
        "from a step's end to the start of one planned in answer: "
            + (submit.isNone()
                ? "not measured; fit to a run with --depth 1 for it"
                : "%,.1f us, and %,.1f us a sequence"
                    .formatted(submit.nanos() / 1e3, submit.nanosPerSequence() / 1e3)));
  }

  /// Says where a profile does not even foretell what it was fitted to.
  static void note(PrintWriter err, FittedProfile profile) {
    for (FittedPlace place : profile.places()) {
      FitErrors errors = place.errors();
      if (errors.meanPercent() > NOTED_MEAN || Math.abs(errors.biasPercent()) > NOTED_BIAS) {
        err.println(
            "fusespill: held-out steps of %s are off by %.1f %% on average, %s %% in sum: a simulation will be, too; a longer run on a quiet machine tells more"
                .formatted(place.place(), errors.meanPercent(), signed(errors.biasPercent())));
      }
    }
    err.flush();
  }

  /// Says which places and links the measurements were too few for.
  static void noteLeftOut(PrintWriter err, Measurements measurements) {
    note(err, measurements.placesLeftOut(), "steps", "%d a device".formatted(StepFit.SAMPLES_MIN));
    note(
        err, measurements.linksLeftOut(), "copies", "%d a link".formatted(TransferFit.SAMPLES_MIN));
    err.flush();
  }

  private static void note(
      PrintWriter err, Map<String, Integer> leftOut, String what, String least) {
    if (!leftOut.isEmpty()) {
      err.println(
          "fusespill: too few %s to fit their times: %s; must be at least %s, a longer run has more"
              .formatted(
                  what,
                  leftOut.entrySet().stream()
                      .map(each -> "%s (%,d)".formatted(each.getKey(), each.getValue()))
                      .collect(Collectors.joining(", ")),
                  least));
    }
  }

  private static String term(FittedTerm term) {
    int segments = term.segments().size();
    return segments == 1
        ? term.name()
        : "%s in %d pieces by %s".formatted(term.name(), segments, term.by().label());
  }

  private static String[] cells(String label, FitErrors errors) {
    return new String[] {
      label,
      "%,d".formatted(errors.samples()),
      "%.2f".formatted(errors.meanPercent()),
      "%.2f".formatted(errors.p90Percent()),
      "%.1f".formatted(errors.maxPercent()),
      signed(errors.biasPercent())
    };
  }

  private static String signed(double percent) {
    return FigureTable.signed("%.2f".formatted(percent));
  }
}
