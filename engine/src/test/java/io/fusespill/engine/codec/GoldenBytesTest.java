package io.fusespill.engine.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Bytes that were written by hand from [RecordLayout] and the rules of [PayloadWriter]. Journals
/// on disk have such bytes: where this test fails, a new payload version is due. What the first
/// version of a payload can say keeps its bytes.
class GoldenBytesTest {

  static Stream<Arguments> records() {
    return Stream.of(
        Arguments.of(
            5,
            new SequenceFinished(1_000, 300, FinishReason.LENGTH),
            """
            4600 0100 1F000000 0500000000000000 E803000000000000 C223EDFD
            AC02  # sequence 300
            01    # LENGTH
            """),
        Arguments.of(
            5,
            new SequencePreempted(
                1_000, 300, PreemptionKind.RECOMPUTE, PreemptionReason.POLICY_CHANGED),
            """
            4200 0200 20000000 0500000000000000 E803000000000000 61DB50E7
            AC02  # sequence 300
            00    # RECOMPUTE
            03    # POLICY_CHANGED, which version 1 cannot say
            """),
        Arguments.of(
            9,
            new SequenceRouted(500, 129, 1),
            """
            4A00 0100 1F000000 0900000000000000 F401000000000000 F643F9AC
            8101  # sequence 129
            01    # device 1
            """),
        Arguments.of(
            0x0102_0304_0506_0708L,
            new Checkpointed(-1, 0x0123_4567_89AB_CDEFL),
            """
            4700 0100 24000000 0807060504030201 FFFFFFFFFFFFFFFF 1CF71652
            EFCDAB8967452301
            """),
        Arguments.of(
            1,
            new StepCompleted(2, 1, 300, Ints.of(7, 3), Ints.of(100, 1_000)),
            """
            0400 0100 27000000 0100000000000000 0200000000000000 1099D5C8
            01            # device
            AC02          # step 300
            02 0E 07      # two ended: 7, then 4 less
            02 C801 880E  # two tokens: 100, then 900 more
            """),
        Arguments.of(
            6,
            new StepPlanned(1_000_000, EventExamples.step(), 20, 1),
            """
            4500 0100 36000000 0600000000000000 40420F0000000000 F8781380
            01           # device
            C801         # step 200
            03           # three entries:
            1D 05 00     # sequence 7 more than 0, zigzag 14, doubled 28, and 1 for several new tokens; 5 after 0
            0E 10        # sequence 4 less, zigzag 7, doubled 14; one new token after 16
            A409 8201    # sequence 297 more, zigzag 594, doubled 1188; one new token after 130
            03 12 0D 12  # three new blocks: 9, 7 less, 9 more
            01 03 04 0C  # one copy: for sequence 3, of block 4 to 12
            01 04        # one transfer: 2
            07           # batched tokens
            14           # free blocks
            01           # waiting
            """),
        Arguments.of(
            7,
            new TransferPlanned(0, EventExamples.transfer()),
            """
            4400 0100 2F000000 0700000000000000 0000000000000000 3BC56043
            8101             # transfer 129
            01               # SWAP_IN
            01               # ASYNC
            01 00            # from 1 to 0
            02 08 03         # two sequences: 4, then 2 less
            03 14 02 76      # three source blocks: 10, 1 more, 59 more
            03 C801 C101 01  # three target blocks: 100, 97 less, 1 less
            """),
        // the example of docs/journal-format.md
        Arguments.of(
            1_000,
            new StepPlanned(
                1_500_000_000,
                new StepPlan(
                    0,
                    300,
                    Ints.of(5, 7, 6),
                    Ints.of(1, 1, 40),
                    Ints.of(130, 64, 0),
                    Ints.of(12, 13, 11, 10),
                    List.of(),
                    Ints.of(3),
                    42),
                200,
                2),
            """
            45 00 01 00 34 00 00 00 e8 03 00 00 00 00 00 00
            00 2f 68 59 00 00 00 00 f5 8f 4d 14 00 ac 02 03
            14 82 01 08 40 03 28 00 04 18 02 03 01 00 01 06
            2a c8 01 02
            """),
        Arguments.of(
            0,
            new RunStarted(0, "1.0", "ab", -2, EventExamples.SMALL_CONFIG),
            """
            0100 0100 6A000000 0000000000000000 0000000000000000 67D18A36
            03 312E30           # version "1.0"
            02 6162             # digest "ab"
            FEFFFFFFFFFFFFFF    # seed -2
            10 AC02 01          # KV: 16 tokens, 300 bytes, 1 copy a block
            08 40 8001 03 00    # limits: 8, 64, 128, 3, 0
            02                  # two places:
            03 677075 00 01 0A  # "gpu", DEVICE, computes, 10 blocks
            03 637075 01 00 05  # "cpu", HOST, does not compute, 5 blocks
            01                  # one link:
            00 01 E807 07       # from 0 to 1, 1000 bytes a second, 7 ns a copy
            0A 636F6E74696E756F7573          # "continuous"
            01                               # one option:
            0E 726573657276652D70726F6D7074  # "reserve-prompt"
            04 74727565                      # "true"
            """),
        Arguments.of(
            9,
            new RequestArrived(1_000, 3, 300, 1, 100, 4_096),
            """
            0200 0100 23000000 0900000000000000 E803000000000000 A872A74E
            03        # request
            AC02      # first sequence 300
            01        # samples
            64        # prompt tokens 100
            8020      # at most 4096 output tokens, and nobody foretells fewer
            """),
        Arguments.of(
            9,
            new RequestArrived(1_000, 3, 300, 1, 100, 4_096, 300),
            """
            0200 0200 25000000 0900000000000000 E803000000000000 0FFA9A7C
            03        # request
            AC02      # first sequence 300
            01        # samples
            64        # prompt tokens 100
            8020      # at most 4096 output tokens
            AC02      # a hint of 300 tokens
            """),
        Arguments.of(
            9,
            new RequestArrived(1_000, 3, 300, 1, 2, 4_096, 0, new Prompt(Ints.of(7, 5), "{}")),
            """
            0200 0300 2A000000 0900000000000000 E803000000000000 73930EE1
            03        # request
            AC02      # first sequence 300
            01        # samples
            02        # prompt tokens
            8020      # at most 4096 output tokens
            00        # nobody foretells fewer
            02 0E 03  # two ids: 7, and 2 less
            02 7B7D   # "{}"
            """),
        Arguments.of(
            9,
            new RequestArrived(1_000, 3, 300, 1, 600, 4_096, 0, new Prompt(Ints.of(7, 5), 512, "")),
            """
            0200 0400 2B000000 0900000000000000 E803000000000000 9C356CB5
            03        # request
            AC02      # first sequence 300
            01        # samples
            D804      # prompt tokens 600
            8020      # at most 4096 output tokens
            00        # nobody foretells fewer
            02 0E 03  # two ids: 7, and 2 less
            00        # no parameters
            8004      # an id for each 512 tokens
            """),
        Arguments.of(
            12,
            new PlaceFailed(3_000, 2, "gone"),
            """
            0900 0100 22000000 0C00000000000000 B80B000000000000 7764D191
            02            # place
            04 676F6E65   # "gone"
            """),
        Arguments.of(
            13,
            new SequenceFailed(3_000, 1, 300, 7, "NaN"),
            """
            0B00 0100 24000000 0D00000000000000 B80B000000000000 95A61392
            01            # device
            AC02          # step 300
            07            # sequence
            03 4E614E     # "NaN"
            """),
        Arguments.of(
            10,
            new StepCompleted(2_000, 1, 300, Ints.of(7), Ints.EMPTY, 1_000_000),
            """
            0400 0200 25000000 0A00000000000000 D007000000000000 3B077FD3
            01            # device
            AC02          # step 300
            01 0E         # one ended: 7
            00            # no tokens
            C0843D        # busy for 1000000 ns
            """),
        Arguments.of(
            11,
            new StepPlanned(
                3_000,
                new StepPlan(
                    0,
                    5,
                    Ints.of(3, 5),
                    Ints.of(1, 1),
                    Ints.of(16, 40),
                    Ints.EMPTY,
                    List.of(),
                    Ints.EMPTY,
                    2,
                    1,
                    1),
                7,
                1),
            """
            4500 0200 2B000000 0B00000000000000 B80B000000000000 88EA334C
            00           # device
            05           # step
            02           # two entries:
            0C 10        # sequence 3, zigzag 6, doubled 12; one new token after 16
            08 28        # sequence 2 more, zigzag 4, doubled 8; one new token after 40
            00           # no new blocks
            00           # no copies
            00           # no transfers
            02           # batched tokens
            07           # free blocks
            01           # waiting
            01           # place 1 attends
            01           # for the last entry
            """),
        Arguments.of(
            12,
            new HandlingChosen(
                4_000,
                7,
                0,
                100,
                12,
                1,
                List.of(
                    new HandlingEstimate(Handling.RECOMPUTE, -1, 10_000, 1),
                    new HandlingEstimate(Handling.OFFLOAD_ATTENTION, 1, 5, 1_000))),
            """
            4800 0100 2C000000 0C00000000000000 A00F000000000000 5F6804EE
            07           # sequence
            00           # device
            64           # remaining tokens
            0C           # blocks
            01           # the second was chosen
            02           # of two:
            00 00 904E 01         # RECOMPUTE to nowhere, loses 10000 ns, frees for 1 ns
            04 02 05 E807         # OFFLOAD_ATTENTION to place 1, loses 5 ns, frees for 1000 ns
            """),
        Arguments.of(
            13,
            new ShareChosen(5_000, 0, 1, 250_000, 300_000, 1_500, 1_000),
            """
            4900 0100 28000000 0D00000000000000 8813000000000000 D01B6BD3
            00           # device
            01           # place
            90A10F       # 250000 millionths
            E0A712       # closed form 300000 millionths
            DC0B         # 1500 tokens a second
            E807         # 1000 alone
            """),
        Arguments.of(
            0,
            new RunStarted(0, "1.0", "ab", -2, EventExamples.SPILL_CONFIG),
            """
            0100 0200 7E000000 0000000000000000 0000000000000000 5197B79E
            03 312E30           # version "1.0"
            02 6162             # digest "ab"
            FEFFFFFFFFFFFFFF    # seed -2
            10 AC02 01          # KV: 16 tokens, 300 bytes, 1 copy a block
            08 40 8001 03 00    # limits: 8, 64, 128, 3, 0
            02                  # two places:
            03 677075 00 01 0A  # "gpu", DEVICE, computes, 10 blocks
            03 637075 01 00 05  # "cpu", HOST, does not compute, 5 blocks
            02                  # two links:
            00 01 E807 07       # from 0 to 1, 1000 bytes a second, 7 ns a copy
            01 00 E807 07       # and back
            09 667573657370696C6C  # "fusespill"
            00                  # no option
            06                  # version 2 from here on: six steps in flight
            06 6F7261636C65     # "oracle"
            00 01               # place 0 does not attend, place 1 does
            02                  # costs of two places:
            01 02 03 04 05 06 07 08 80A094A58D1D  # the last 10^12
            00 00 00 00 00 00 00 00 00
            00 00               # each link has its own channel
            """));
  }

  @ParameterizedTest
  @MethodSource("records")
  void encode_givesTheBytesWrittenByHand(long position, EngineEvent event, String bytes) {
    assertThat(Records.encode(position, event)).isEqualTo(Records.hex(bytes));
  }

  @ParameterizedTest
  @MethodSource("records")
  void decode_ofTheBytesWrittenByHand_givesTheEvent(
      long position, EngineEvent event, String bytes) {
    assertThat(Records.decode(position, Records.hex(bytes))).isEqualTo(event);
  }

  @Test
  void types_keepTheirNumbersAndVersions() {
    assertThat(EventType.values())
        .extracting(
            type -> type.number() + " v" + type.version() + " " + type.event().getSimpleName())
        .containsExactly(
            "1 v2 RunStarted",
            "2 v4 RequestArrived",
            "3 v1 RequestCancelled",
            "4 v2 StepCompleted",
            "5 v1 StepFailed",
            "6 v1 TransferCompleted",
            "7 v1 TransferFailed",
            "8 v2 ConfigurationChanged",
            "9 v1 PlaceFailed",
            "10 v1 PlaceRestored",
            "11 v1 SequenceFailed",
            "64 v1 RequestRejected",
            "65 v2 SequenceAdmitted",
            "66 v2 SequencePreempted",
            "67 v1 ResidentsSorted",
            "68 v1 TransferPlanned",
            "69 v2 StepPlanned",
            "70 v1 SequenceFinished",
            "71 v1 Checkpointed",
            "72 v1 HandlingChosen",
            "73 v1 ShareChosen",
            "74 v1 SequenceRouted");
  }
}
