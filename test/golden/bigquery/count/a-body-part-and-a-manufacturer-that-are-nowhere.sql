-- which of the values there are
SELECT DISTINCT 'bodyPart' AS field, BodyPartExamined AS value FROM `bigquery-public-data.idc_v25.dicom_metadata_curated`
WHERE LOWER(BodyPartExamined) IN ('nosuchpart')
UNION ALL
SELECT DISTINCT 'manufacturer' AS field, Manufacturer AS value FROM `bigquery-public-data.idc_v25.dicom_all`
WHERE LOWER(Manufacturer) IN ('nobody');

-- the answer
WITH index AS (
  SELECT MIN(files.collection_id) AS collection_id,
    MIN(files.PatientID) AS PatientID,
    files.SeriesInstanceUID,
    MIN(files.StudyInstanceUID) AS StudyInstanceUID,
    MIN(curated.BodyPartExamined) AS BodyPartExamined,
    MIN(files.Manufacturer) AS Manufacturer,
    COUNT(*) AS instanceCount,
    SUM(CAST(files.instance_size AS INT64)) AS carrel_bytes
  FROM `bigquery-public-data.idc_v25.dicom_all` AS files
  LEFT JOIN (
    SELECT SOPInstanceUID, MIN(BodyPartExamined) AS BodyPartExamined
    FROM `bigquery-public-data.idc_v25.dicom_metadata_curated` GROUP BY SOPInstanceUID
  ) AS curated ON files.SOPInstanceUID = curated.SOPInstanceUID
  GROUP BY files.SeriesInstanceUID
),
selected AS (
  SELECT * FROM index WHERE BodyPartExamined IN ('NOSUCHPART')
    AND Manufacturer IN ('Nobody')
)
SELECT COUNT(DISTINCT collection_id) AS collections,
  COUNT(DISTINCT ARRAY_TO_STRING([collection_id, PatientID], CHR(31))) AS amount_patients,
  COUNT(DISTINCT StudyInstanceUID) AS amount_studies, COUNT(*) AS amount_series,
  IFNULL(SUM(instanceCount), 0) AS amount_instances, IFNULL(SUM(carrel_bytes), 0) AS amount_bytes
FROM selected;
