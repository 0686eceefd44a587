package io.fusespill.learn;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// What keeps the library that fits trees replaceable.
@AnalyzeClasses(packagesOf = LengthTrainer.class, importOptions = DoNotIncludeTests.class)
final class HouseRulesTest {

  @ArchTest
  static final ArchRule tribuo_isBehindOneClass =
      noClasses()
          .that()
          .doNotHaveSimpleName("TreeFitter")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.tribuo..", "com.oracle..", "com.google.protobuf..");
}
