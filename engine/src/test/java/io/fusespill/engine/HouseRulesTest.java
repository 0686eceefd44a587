package io.fusespill.engine;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.io.Serializable;
import java.util.Set;

/// What keeps the engine a function of its inputs, checked on its compiled classes.
///
/// Single methods (clocks, `Map.of`, …) are banned in `config/forbidden`; here are whole packages,
/// fields and the directions between packages.
@AnalyzeClasses(packagesOf = Engine.class, importOptions = DoNotIncludeTests.class)
final class HouseRulesTest {

  private static final Set<String> JAVA_BASE =
      ModuleLayer.boot().findModule("java.base").orElseThrow().getPackages();

  private static final DescribedPredicate<JavaClass> JDK_BASE =
      describe(
          "java.base",
          type ->
              type.getBaseComponentType().isPrimitive()
                  || JAVA_BASE.contains(type.getBaseComponentType().getPackageName()));

  private static final DescribedPredicate<JavaClass> FLOATING_POINT =
      describe(
          "float or double",
          type ->
              Set.of("float", "double", "java.lang.Float", "java.lang.Double")
                  .contains(type.getBaseComponentType().getName()));

  @ArchTest
  static final ArchRule dependsOnTheJdkAlone =
      noClasses()
          .should()
          .dependOnClassesThat(
              not(
                  JDK_BASE
                      .or(resideInAPackage("io.fusespill.engine.."))
                      .or(resideInAPackage("org.jspecify.annotations"))))
          .because(
              "a library in the engine is a library in every module: put it beside the engine");

  @ArchTest
  static final ArchRule doesNoInputOrOutput =
      noClasses()
          .should()
          .dependOnClassesThat(
              resideInAnyPackage(
                      "java.io..", "java.nio.file..", "java.nio.channels..", "java.net..")
                  .and(not(equivalentTo(Serializable.class))))
          .because(
              "files and sockets are for journal, sim and cli; hand the engine values or a ByteBuffer");

  @ArchTest
  static final ArchRule hasOneThread =
      noClasses()
          .should()
          .dependOnClassesThat(
              resideInAPackage("java.util.concurrent..")
                  .or(equivalentTo(Thread.class))
                  .or(equivalentTo(ThreadLocal.class)))
          .because("the engine has one caller: threads are wired in cli, waiting is for journal");

  @ArchTest
  static final ArchRule iteratesInDefinedOrder =
      noClasses()
          .should()
          .dependOnClassesThat(
              describe(
                  "are ordered by hash",
                  type ->
                      Set.of("HashMap", "HashSet", "Hashtable", "IdentityHashMap", "WeakHashMap")
                              .contains(type.getSimpleName())
                          && type.getPackageName().equals("java.util")))
          .because("use an array by dense id, a deque, a TreeMap or a LinkedHashMap instead");

  @ArchTest
  static final ArchRule keepsIntegersInState =
      noFields()
          .that()
          .areDeclaredInClassesThat()
          .resideInAnyPackage("..engine.state..", "..engine.event..", "..engine.plan..")
          .should()
          .haveRawType(FLOATING_POINT)
          .because(
              "state is nanoseconds, tokens, blocks and bytes; a cost model may use double inside");

  @ArchTest
  static final ArchRule keepsNothingStatic =
      fields()
          .that()
          .areStatic()
          .and()
          .areDeclaredInClassesThat()
          .doNotHaveModifier(JavaModifier.SYNTHETIC)
          .should()
          .beFinal()
          .because("two engines in one JVM share nothing: ids come from counters in the state");

  @ArchTest
  static final ArchRule hasNoPackageCycles =
      slices()
          .assignedFrom(
              new SliceAssignment() {
                @Override
                public SliceIdentifier getIdentifierOf(JavaClass type) {
                  return type.getPackageName().startsWith("io.fusespill.engine")
                      ? SliceIdentifier.of(type.getPackageName())
                      : SliceIdentifier.ignore();
                }

                @Override
                public String getDescription() {
                  return "packages of the engine";
                }
              })
          .should()
          .beFreeOfCycles()
          .because("a package that needs its user is half of it: move the shared type down");
}
