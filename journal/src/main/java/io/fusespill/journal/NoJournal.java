package io.fusespill.journal;

/// A journal that keeps nothing.
enum NoJournal implements Journal {
  INSTANCE;

  @Override
  public void append(byte[] record, int length) {}

  @Override
  public void commit() {}

  @Override
  public void close() {}
}
