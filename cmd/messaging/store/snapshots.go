package store

import (
	"context"
	"time"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// AddSnapshots implements domain.Snapshots.
func (s *Store) AddSnapshots(ctx context.Context, rows []domain.Snapshot) error {
	if len(rows) == 0 {
		return nil
	}
	d := s.dialect
	var args []any
	for _, r := range rows {
		args = append(args, r.Queue, r.At, r.Size, r.Processed, r.Failed, r.ThroughputPerMin, r.RuntimeMSAvg, r.WaitMS)
	}
	_, err := s.exec(ctx, d.insertIgnore+` INTO queue_snapshots (queue, at, size, processed, failed, throughput_per_min, runtime_ms_avg, wait_ms)
		VALUES `+tuples(len(rows), 8)+d.onConflict, args...)
	return err
}

func scanSnapshot(row scanner) (r domain.Snapshot, err error) {
	err = row.Scan(&r.Queue, at{&r.At}, &r.Size, &r.Processed, &r.Failed, &r.ThroughputPerMin, &r.RuntimeMSAvg, &r.WaitMS)
	return r, err
}

// SnapshotsSince implements domain.Snapshots.
func (s *Store) SnapshotsSince(ctx context.Context, since time.Time) ([]domain.Snapshot, error) {
	return all(ctx, s.conn, scanSnapshot, `SELECT queue, at, size, processed, failed, throughput_per_min, runtime_ms_avg, wait_ms
		FROM queue_snapshots WHERE at >= ? ORDER BY at`, since)
}

// DeleteSnapshots implements domain.Snapshots.
func (s *Store) DeleteSnapshots(ctx context.Context, before time.Time) error {
	_, err := s.exec(ctx, "DELETE FROM queue_snapshots WHERE at < ?", before)
	return err
}
