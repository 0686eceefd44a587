package io.fusespill.sim.calibrate;

import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.Spelling;
import io.fusespill.sim.profile.TensorParallelGroup;

/// What published tables say that they were measured with, held against what they are taken for.
final class TableOrigin {

  private TableOrigin() {}

  static void requireCards(String where, String measured, TensorParallelGroup cards) {
    for (HardwareProfile card : cards.cards()) {
      if (!Spelling.sameCard(measured, card.name())) {
        throw new ProfileException(
            "%s is %s, must be the card %s: name the tables of that card, or another --device"
                .formatted(where, measured, card.name()));
      }
    }
  }

  static void requireModel(String where, String measured, ModelProfile model) {
    if (!Spelling.sameModel(measured, model.name())) {
      throw new ProfileException(
          "%s is %s, must be the model %s: name the tables of that model, or another --model"
              .formatted(where, measured, model.name()));
    }
  }
}
