package io.fusespill.charts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.charts.FigureFiles.Format;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FigureFilesTest {

  @Test
  void fileNames_areDifferentWhereNamesAre() {
    assertThat(FigureKind.fileNames(List.of("r x", "R-x", "r-x-2", "r/x")))
        .containsExactly("r-x", "r-x-2", "r-x-2-2", "r-x-3");
  }

  @TempDir private Path folder;

  @Test
  void bothThemesAndFormats_withDataAndAList() throws IOException {
    Figure figure =
        GridKind.PARETO.of(GridFiguresTest.ablation(), GridKind.Axes.DEFAULT).getFirst();

    List<List<String>> files =
        new FigureFiles(
                folder.resolve("new/folder"),
                EnumSet.allOf(Format.class),
                EnumSet.allOf(Theme.class),
                3.4,
                100)
            .write(List.of(figure));

    assertThat(files)
        .containsExactly(
            List.of(
                "pareto.png", "pareto.svg", "pareto-dark.png", "pareto-dark.svg", "pareto.csv"));
    try (Stream<Path> there = Files.list(folder.resolve("new/folder"))) {
      assertThat(there.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "pareto.png",
              "pareto.svg",
              "pareto-dark.png",
              "pareto-dark.svg",
              "pareto.csv",
              "figures.json");
    }
    JsonNode list = new ObjectMapper().readTree(folder.resolve("new/folder/figures.json").toFile());
    assertThat(list.get(0).get("name").asText()).isEqualTo("pareto");
    assertThat(list.get(0).get("origins").get(0).get("result_digest").asText()).hasSize(64);
    assertThat(Files.readString(folder.resolve("new/folder/pareto.csv")))
        .isEqualTo(figure.data().csv());
  }

  @Test
  void aFigureThatCannotBeDrawn_leavesNoFileOfTheOthers() {
    Figure good = GridKind.PARETO.of(GridFiguresTest.ablation(), GridKind.Axes.DEFAULT).getFirst();
    Figure bad =
        new Figure(
            "bad",
            "Bad",
            good.source(),
            good.data(),
            style -> {
              throw new IllegalStateException("cannot be drawn");
            });
    FigureFiles files =
        new FigureFiles(folder.resolve("none"), Set.of(Format.PNG), Set.of(Theme.LIGHT), 3.4, 100);

    assertThatThrownBy(() -> files.write(List.of(good, bad))).hasMessage("cannot be drawn");

    assertThat(folder.resolve("none")).doesNotExist();
  }

  @Test
  void list_keepsEarlierFigures_whateverStoodThere() throws IOException {
    Path list = Files.writeString(folder.resolve("figures.json"), "{ no list");
    FigureFiles files = new FigureFiles(folder, Set.of(Format.SVG), Set.of(Theme.LIGHT), 3.4, 100);
    List<Figure> pareto = GridKind.PARETO.of(GridFiguresTest.ablation(), GridKind.Axes.DEFAULT);

    files.write(pareto);
    files.write(GridKind.ABLATION.of(GridFiguresTest.ablation(), GridKind.Axes.DEFAULT));
    files.write(pareto);

    assertThat(new ObjectMapper().readTree(list.toFile()).findValuesAsText("title"))
        .containsExactly("What parts of whole are worth", "Pareto front");
  }

  @Test
  void png_knowsItsSizeInPrint() {
    Figure figure =
        GridKind.PARETO.of(GridFiguresTest.ablation(), GridKind.Axes.DEFAULT).getFirst();
    String bytes =
        new String(
            figure.png(Style.column(Theme.LIGHT), 300),
            java.nio.charset.StandardCharsets.ISO_8859_1);

    // 300 dpi are 11,811 dots a metre: 0x2e23.
    assertThat(bytes).contains("pHYs\0\0\u002e\u0023\0\0\u002e\u0023\u0001");
  }
}
