//! SHA-256, SHA-512, HMAC-SHA-256 and AES-256-GCM, which are those of Zig's standard library.

const std = @import("std");
const Aes256Gcm = std.crypto.aead.aes_gcm.Aes256Gcm;

pub const tag_size = Aes256Gcm.tag_length;

pub fn sha256(bytes: []const u8) [32]u8 {
    var digest: [32]u8 = undefined;
    std.crypto.hash.sha2.Sha256.hash(bytes, &digest, .{});
    return digest;
}

pub fn sha512(bytes: []const u8) [64]u8 {
    var digest: [64]u8 = undefined;
    std.crypto.hash.sha2.Sha512.hash(bytes, &digest, .{});
    return digest;
}

pub fn hmacSha256(key: []const u8, bytes: []const u8) [32]u8 {
    var mac: [32]u8 = undefined;
    std.crypto.auth.hmac.sha2.HmacSha256.create(&mac, bytes, key);
    return mac;
}

/// `to` is as long as `from` and the tag of 16 bytes, which follows. A nonce must never be used twice with one key.
pub fn encrypt(to: []u8, from: []const u8, extra: []const u8, nonce: [12]u8, key: [32]u8) void {
    std.debug.assert(to.len == from.len + tag_size);
    Aes256Gcm.encrypt(to[0..from.len], to[from.len..][0..tag_size], from, extra, nonce, key);
}

/// `from` ends with the tag, and `to` is shorter by it. `to` is not to be used if the tag is wrong.
pub fn decrypt(to: []u8, from: []const u8, extra: []const u8, nonce: [12]u8, key: [32]u8) error{WrongTag}!void {
    if (from.len < tag_size) return error.WrongTag;
    const size = from.len - tag_size;
    std.debug.assert(to.len == size);
    Aes256Gcm.decrypt(to, from[0..size], from[size..][0..tag_size].*, extra, nonce, key) catch return error.WrongTag;
}
