package io.fusespill.cuda;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// What keeps the driver behind one package.
@AnalyzeClasses(packages = "io.fusespill.cuda", importOptions = DoNotIncludeTests.class)
final class HouseRulesTest {

  @ArchTest
  static final ArchRule jcuda_isBehindOnePackage =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.fusespill.cuda.driver")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jcuda..");

  @ArchTest
  static final ArchRule jcuda_isTheDriverAlone =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("jcuda.runtime..", "jcuda.nvrtc..", "jcuda.jcublas..");

  @ArchTest
  static final ArchRule driver_knowsNothingOfModels =
      classes()
          .that()
          .resideInAnyPackage("io.fusespill.cuda.driver", "io.fusespill.cuda.blas")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "jcuda..",
              "org.jspecify..",
              "io.fusespill.cuda.driver",
              "io.fusespill.cuda.blas",
              "io.fusespill.host.checkpoint");

  @ArchTest
  static final ArchRule packages_haveNoCycles =
      slices().matching("io.fusespill.cuda.(**)").should().beFreeOfCycles();
}
