package io.fusespill.sweep;

import io.fusespill.tables.Table;
import java.util.List;
import java.util.Map;

/// What a search found.
///
/// @param failed why, by the title of what could not be searched
/// @param notes what the table does not show, a line each
public record SearchResult(Table table, Map<String, String> failed, List<String> notes) {}
