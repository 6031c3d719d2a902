package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	devicemeshv1 "devicemesh.example/client/gen/devicemesh/v1"
)

// readReadings reads lines of device_id,timestamp,sensor,value. A first line of just these words is a header.
func readReadings(from io.Reader) ([]*devicemeshv1.Reading, error) {
	lines := csv.NewReader(from)
	lines.FieldsPerRecord = 4
	var readings []*devicemeshv1.Reading
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return readings, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := lines.FieldPos(0)
		if line == 1 && fields[0] == "device_id" {
			continue
		}
		reading, err := newReading(fields[0], fields[1], fields[2], fields[3])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		readings = append(readings, reading)
	}
}

// newReading makes what the mesh takes: a device, a time by its clock, and one measurement. The mesh checks
// the values, so that they are checked in one place.
func newReading(device, at, sensor, value string) (*devicemeshv1.Reading, error) {
	timestamp, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return nil, err
	}
	reading := &devicemeshv1.Reading{DeviceId: device, Timestamp: timestamppb.New(timestamp)}
	message := reading.ProtoReflect()
	types := message.Descriptor().Oneofs().ByName("measurement").Fields()
	for i := range types.Len() {
		field := types.Get(i).Message().Fields().ByName(protoreflect.Name(sensor))
		if field != nil && types.Get(i).Name() != "sensor_value" {
			message.Mutable(types.Get(i)).Message().Set(field, protoreflect.ValueOfFloat64(number))
			return reading, nil
		}
	}
	// A sensor of the catalog without a type of its own.
	reading.Measurement = &devicemeshv1.Reading_SensorValue{SensorValue: &devicemeshv1.SensorValue{Sensor: sensor, Value: &number}}
	return reading, nil
}
