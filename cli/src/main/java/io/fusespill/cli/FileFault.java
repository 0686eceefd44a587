package io.fusespill.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/// What is wrong with a file, in words: Java's exceptions say it with their classes' names.
final class FileFault {

  private FileFault() {}

  /// A message with the words for the fault that it quotes as Java writes it.
  static String inWords(Throwable failure) {
    String message = String.valueOf(failure.getMessage());
    Throwable cause = failure.getCause();
    while (cause != null) {
      if (cause instanceof IOException fault) {
        message = message.replace(fault.toString(), words(fault));
      }
      cause = cause.getCause();
    }
    return message;
  }

  private static String words(IOException fault) {
    return switch (fault) {
      case NoSuchFileException missing -> "there is no " + missing.getFile();
      case AccessDeniedException denied -> "no permission for " + denied.getFile();
      case FileAlreadyExistsException there -> there.getFile() + " is in the way";
      case NotDirectoryException file -> file.getFile() + " is no folder";
      case FileSystemException other when other.getReason() != null -> other.getReason();
      case CharacterCodingException _ -> "it is no text in UTF-8";
      default -> fault.getMessage() == null ? fault.toString() : fault.getMessage();
    };
  }
}
