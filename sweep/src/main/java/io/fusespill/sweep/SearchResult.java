package io.fusespill.sweep;

import io.fusespill.tables.Table;
import java.util.Map;

/// What a search found.
///
/// @param failed why, by the title of what could not be searched
public record SearchResult(Table table, Map<String, String> failed) {}
