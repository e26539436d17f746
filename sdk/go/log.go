//go:build wasip1

package dolmen

import (
	"context"
	"log/slog"
	"strings"
)

const (
	logDebug = iota
	logInfo
	logWarn
	logError
)

// Log writes a line to Dolmen's log at a level.
func Log(level slog.Level, text string) {
	at, length := pointer(text)
	hostLog(hostLevel(level), at, length)
}

// LogHandler is an [slog.Handler] that writes to Dolmen's log, which has time and object by itself.
//
//	slog.SetDefault(slog.New(dolmen.LogHandler()))
func LogHandler() slog.Handler {
	text := &strings.Builder{}
	lines := slog.NewTextHandler(text, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if len(groups) == 0 && (attr.Key == slog.TimeKey || attr.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return attr
		},
	})
	return &hostLogHandler{lines, text}
}

// hostLogHandler lets another handler write a line, and sends it. Goroutines do not switch between
// the two, since nothing in between waits.
type hostLogHandler struct {
	slog.Handler
	text *strings.Builder
}

func (h *hostLogHandler) Handle(ctx context.Context, record slog.Record) error {
	if err := h.Handler.Handle(ctx, record); err != nil {
		return err
	}
	line := strings.TrimSuffix(h.text.String(), "\n")
	h.text.Reset()
	Log(record.Level, line)
	return nil
}

func (h *hostLogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &hostLogHandler{h.Handler.WithAttrs(attrs), h.text}
}

func (h *hostLogHandler) WithGroup(name string) slog.Handler {
	return &hostLogHandler{h.Handler.WithGroup(name), h.text}
}

func hostLevel(level slog.Level) int32 {
	switch {
	case level >= slog.LevelError:
		return logError
	case level >= slog.LevelWarn:
		return logWarn
	case level >= slog.LevelInfo:
		return logInfo
	}
	return logDebug
}
