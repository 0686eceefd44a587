/// What a run is made of: KV layout, limits, topology and policy, validated when constructed.
@NullMarked
package io.fusespill.engine.config;

import org.jspecify.annotations.NullMarked;
