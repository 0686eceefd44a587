/// Tables whose columns have types and units, written row by row as CSV and Parquet and read back.
@NullMarked
package io.fusespill.tables;

import org.jspecify.annotations.NullMarked;
